-- Money is in picodollars: 10^-12 US dollars.
ALTER TABLE receipts ADD COLUMN cost_pico INTEGER;
-- 1: by estimated tokens.
ALTER TABLE receipts ADD COLUMN cost_estimated INTEGER NOT NULL DEFAULT 0;

-- What may have been spent of a budget in one window: written before it is.
CREATE TABLE budget_leases (
    budget      TEXT    NOT NULL,
    -- Empty: everybody together.
    holder      TEXT    NOT NULL,
    window_at   INTEGER NOT NULL,
    leased_pico INTEGER NOT NULL,
    PRIMARY KEY (budget, holder)
);
