-- When a certificate is valid, by its id: a search that knows many certificates keeps those of a time without reading them.
CREATE INDEX certificate_times ON certificate (id, not_after, not_before);
