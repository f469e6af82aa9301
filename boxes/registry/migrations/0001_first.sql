-- The registry's first schema. One text for SQLite and PostgreSQL: only TEXT and BIGINT; times are milliseconds since 1970 (UTC), flags 0 or 1,
-- ids UUIDs (version 7, so they sort by age). Names are unique whatever their case. What is deleted is marked, and goes when its grace time is over.

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                      -- user | organization
    password TEXT,                           -- argon2id in PHC form; none: tokens only, or an organisation
    email TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    admin BIGINT NOT NULL DEFAULT 0,         -- of the whole registry
    disabled BIGINT NOT NULL DEFAULT 0,
    quota BIGINT,                            -- bytes; none: no bound
    upstream TEXT,                           -- stands for the account of this name there; none: it is of here
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_name ON accounts (lower(name));

CREATE TABLE members (
    organization TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role TEXT NOT NULL,                      -- read | write | admin
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization, account)
);
CREATE INDEX members_account ON members (account);

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,               -- SHA-256 of the token in hex; the token itself is nowhere
    kind TEXT NOT NULL,                      -- token | session (a browser's)
    description TEXT NOT NULL DEFAULT '',
    scope TEXT NOT NULL,                     -- read | write | admin
    organization TEXT REFERENCES accounts (id) ON DELETE CASCADE, -- good for nothing else
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX tokens_account ON tokens (account);

CREATE TABLE boxes (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    short_description TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',    -- Markdown
    private BIGINT NOT NULL DEFAULT 0,
    downloads BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX boxes_name ON boxes (account, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX boxes_downloads ON boxes (downloads) WHERE deleted_at IS NULL;
CREATE INDEX boxes_updated ON boxes (updated_at) WHERE deleted_at IS NULL;

CREATE TABLE versions (
    id TEXT NOT NULL PRIMARY KEY,
    box TEXT NOT NULL REFERENCES boxes (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',    -- Markdown
    status TEXT NOT NULL,                    -- unreleased | active | revoked
    reason TEXT NOT NULL DEFAULT '',         -- why it was revoked
    downloads BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    released_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX versions_version ON versions (box, version) WHERE deleted_at IS NULL;
CREATE INDEX versions_box ON versions (box);

-- Contents, each stored once. `key` is where the bytes lie among the objects.
CREATE TABLE objects (
    digest TEXT NOT NULL PRIMARY KEY,        -- SHA-256 in hex
    key TEXT NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    unused_at BIGINT                         -- since when no provider has it; it goes when the grace time is over
);

CREATE TABLE providers (
    id TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    architecture TEXT NOT NULL,              -- '' where the publisher named none
    default_architecture BIGINT NOT NULL DEFAULT 0,
    url TEXT,                                -- lies elsewhere
    object TEXT REFERENCES objects (digest), -- lies here, whole
    checksum_type TEXT NOT NULL DEFAULT '',  -- as declared, '' where nothing was
    checksum TEXT NOT NULL DEFAULT '',
    downloads BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX providers_name ON providers (version, name, architecture) WHERE deleted_at IS NULL;
CREATE INDEX providers_version ON providers (version);
CREATE INDEX providers_object ON providers (object);

-- Contents on their way. Whoever has the secret of an upload may send to it, nobody else.
CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL UNIQUE,             -- SHA-256 of the last part of its address
    provider TEXT NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    account TEXT NOT NULL,                   -- name of who began it, for the log
    direct BIGINT NOT NULL,                  -- published by the callback, not by the last byte
    length BIGINT,                           -- of the whole, once known
    received BIGINT NOT NULL DEFAULT 0,      -- bytes that are safe
    object TEXT REFERENCES objects (digest), -- once whole
    store TEXT,                              -- what a bucket calls it
    holder TEXT,                             -- the transfer that is sending to it now
    held_until BIGINT NOT NULL DEFAULT 0,    -- a holder that is silent for so long has lost it
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX uploads_provider ON uploads (provider);
CREATE INDEX uploads_object ON uploads (object);

-- Parts of an upload that a bucket has.
CREATE TABLE pieces (
    upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,                  -- from 0
    content TEXT NOT NULL,                   -- what the bucket calls it
    PRIMARY KEY (upload, number)
);

CREATE TABLE daily_downloads (
    box TEXT NOT NULL REFERENCES boxes (id) ON DELETE CASCADE,
    day TEXT NOT NULL,                       -- 2026-11-23
    count BIGINT NOT NULL,
    PRIMARY KEY (box, day)
);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    account TEXT NOT NULL,                   -- names, not ids: the log outlives what it tells of
    owner TEXT NOT NULL,                     -- whose thing it was: the account before the slash
    action TEXT NOT NULL,                    -- version.release
    subject TEXT NOT NULL,                   -- acme/tiny/1.0.0
    detail TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_owner ON audit (owner, id);

-- Failed logins, by what failed (`user:NAME`, `address:IP`).
CREATE TABLE failures (
    subject TEXT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    since BIGINT NOT NULL
);
