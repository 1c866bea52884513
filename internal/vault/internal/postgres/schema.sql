-- Facts.
CREATE TABLE rule (rule int PRIMARY KEY, key text COLLATE "C" NOT NULL);
CREATE TABLE label (label int PRIMARY KEY, rule int NOT NULL, body bytea NOT NULL);
CREATE UNIQUE INDEX label_body ON label (sha256(body));
CREATE TABLE kind (kind int PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE version (
  vid bigint PRIMARY KEY, oid bigint NOT NULL, modified bigint NOT NULL, label int NOT NULL, rule int NOT NULL, first int NOT NULL, kind int NOT NULL,
  at bigint NOT NULL, act bigint NOT NULL, gone boolean NOT NULL, id text COLLATE "C" NOT NULL, text text COLLATE "C" NOT NULL,
  spec text COLLATE "C" NOT NULL, created_by text COLLATE "C" NOT NULL, source text COLLATE "C" NOT NULL, collection text COLLATE "C" NOT NULL,
  content bytea NOT NULL, digest bytea NOT NULL, raw bytea);
ALTER TABLE version ALTER raw SET STORAGE EXTERNAL;
-- The hash of the id: ids lie all over the index, and what is changed in it is
-- logged by the page.
CREATE INDEX version_object ON version (oid, modified);
CREATE INDEX version_rule ON version (rule, vid);
CREATE TABLE event (
  act bigint NOT NULL, n bigint NOT NULL, at bigint NOT NULL, kind text COLLATE "C" NOT NULL, vid bigint NOT NULL,
  reader text COLLATE "C" NOT NULL, by_reader text COLLATE "C" NOT NULL, text text COLLATE "C" NOT NULL, label_before int NOT NULL,
  label_then int NOT NULL, PRIMARY KEY (act, n));
CREATE INDEX event_version ON event (vid);
CREATE TABLE leaf (n bigint PRIMARY KEY, salt bytea NOT NULL, entry bytea NOT NULL);
CREATE TABLE hash (n bigint PRIMARY KEY, hash bytea NOT NULL);
CREATE TABLE record (space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL, PRIMARY KEY (space, key));
CREATE TABLE setting (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE state (one int PRIMARY KEY CHECK (one = 1), entries bigint NOT NULL, at bigint NOT NULL, next_vid bigint NOT NULL,
  indexed bigint NOT NULL, generation bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO state VALUES (1, 0, 0, 1, 0, 1);
-- Derived from the facts and from what readers hold.
CREATE TABLE feed (feed bigint PRIMARY KEY, owner text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, fresh boolean NOT NULL,
  last bigint NOT NULL, behind bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE reader (reader text COLLATE "C" PRIMARY KEY, feed bigint NOT NULL);
CREATE TABLE place (feed bigint NOT NULL, added bigint NOT NULL, vid bigint NOT NULL, kind int NOT NULL, flag int NOT NULL, PRIMARY KEY (feed, added));
CREATE INDEX place_version ON place (vid, feed);
CREATE TABLE holder (reader text COLLATE "C" NOT NULL, vid bigint NOT NULL, act bigint NOT NULL, PRIMARY KEY (reader, vid));
CREATE INDEX holder_version ON holder (vid);
CREATE TABLE tally (feed bigint NOT NULL, rule int NOT NULL, kind int NOT NULL, total bigint NOT NULL, latest bigint NOT NULL,
  PRIMARY KEY (feed, rule, kind)) WITH (fillfactor = 50);
CREATE TABLE ref (target text COLLATE "C" NOT NULL, vid bigint NOT NULL, PRIMARY KEY (target, vid));
CREATE INDEX ref_version ON ref (vid);
CREATE TABLE word (vid bigint PRIMARY KEY, words tsvector NOT NULL);
CREATE INDEX word_words ON word USING gin (words) WITH (fastupdate = off);
-- The vault's connections walk feeds in order and so do without bitmap scans
-- (see settings in postgres.go); words cannot be found without.
CREATE FUNCTION found(q tsquery) RETURNS SETOF bigint LANGUAGE plpgsql STABLE SET enable_bitmapscan = on AS
  $$ BEGIN RETURN QUERY SELECT vid FROM word WHERE words @@ q; END $$;
INSERT INTO setting VALUES ('schema', '2');
