-- Each entry of the log is found by the domains of what it is about as well (log_link, LOG_BY_DOMAIN). What was read before has
-- none: it is read again, from the first leaf.
DELETE FROM log_link;
DELETE FROM log;
UPDATE log_cursor SET value = 0;
