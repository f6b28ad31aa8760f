-- Drafts have an owner, whose domain is theirs until they name one: who wrote it last, of those that there are.
ALTER TABLE draft ADD COLUMN owner $INT NOT NULL DEFAULT 0;
UPDATE draft SET owner = officer_id;
