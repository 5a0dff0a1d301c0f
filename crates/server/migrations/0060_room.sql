-- One row that is counted up to see whether anything can be written.
CREATE TABLE room (id BIGINT PRIMARY KEY, tries BIGINT NOT NULL);
INSERT INTO room (id, tries) VALUES (1, 0);
