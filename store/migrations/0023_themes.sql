-- The themes of a case (rempart.Themes, one bit for each): what a member's groups
-- and what she left out select by. Go code fills it for the cases that are here.
ALTER TABLE cases ADD COLUMN themes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX cases_themes_queue ON cases (state, themes, priority, opened_at, id);
