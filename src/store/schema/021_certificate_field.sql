-- What was filled in when a certificate was issued, to be searched by: field n, 1 to 6. What has none has no row.
CREATE TABLE certificate_field (certificate $INT NOT NULL, n $INT NOT NULL, value $TEXT NOT NULL, PRIMARY KEY (certificate, n)) $CLUSTERED;
