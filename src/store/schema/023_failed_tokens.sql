-- Soft tokens whose request had failed kept their state, PIN and keys, and what was chosen for certificates that there never were.
UPDATE token SET state = 'failed', pin = CAST('' AS $BLOB), file = CAST('' AS $BLOB)
WHERE state = 'made' AND id IN (SELECT id FROM request WHERE state = 'failed');
-- Certificates that were taken over for them are good for nothing: as those that nobody claims.
INSERT INTO certificate_unclaimed (certificate, at, leaf)
SELECT c.id, $NOW, max(l.id) FROM token_key k JOIN token t ON t.id = k.token JOIN certificate c ON c.id = k.certificate
JOIN journal_leaf l ON l.id > c.id AND l.kind = 'adopted' AND l.object = c.id
WHERE t.state = 'failed' AND k.certificate_procedure <> 0 AND c.status <> 2
AND NOT EXISTS (SELECT 1 FROM certificate_unclaimed u WHERE u.certificate = c.id) GROUP BY c.id;
DELETE FROM token_key WHERE token IN (SELECT id FROM token WHERE state = 'failed');
DELETE FROM certificate_choice
WHERE NOT EXISTS (SELECT 1 FROM certificate c WHERE c.id = certificate_choice.certificate)
AND NOT EXISTS (SELECT 1 FROM token_key k WHERE k.certificate = certificate_choice.certificate);
