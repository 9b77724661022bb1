-- Money is in picodollars: 10^-12 US dollars.
ALTER TABLE receipts ADD COLUMN cost_pico BIGINT;
-- 1: by estimated tokens.
ALTER TABLE receipts ADD COLUMN cost_estimated BIGINT NOT NULL DEFAULT 0;

-- What may have been spent of a budget in one window: written before it is.
CREATE TABLE budget_leases (
    budget      TEXT COLLATE "C"    NOT NULL,
    -- Empty: everybody together.
    holder      TEXT COLLATE "C"    NOT NULL,
    window_at   BIGINT NOT NULL,
    leased_pico BIGINT NOT NULL,
    PRIMARY KEY (budget, holder)
);
