-- What was filled in with a session's request, as JSON; empty: nothing. A request that is tried without it is another one.
ALTER TABLE remembered ADD COLUMN input $TEXT NOT NULL DEFAULT '';
