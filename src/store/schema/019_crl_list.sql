-- list: what deliveries name, the same of each list and of those that take its place: the id of the first.
ALTER TABLE crl ADD COLUMN list $INT NOT NULL DEFAULT 0;
UPDATE crl SET list = id;
CREATE INDEX crl_list ON crl (list);
