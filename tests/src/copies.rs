//! Many rows in a moment: copies of a payment that was made, for a merchant with a long history.

/// SQL for SQLite and Postgres that copies each payment so many times. A copy has an identifier and a
/// session of its own and nothing else: no event, no line, no row at the bank.
#[must_use]
pub fn of_payments(count: u32) -> String {
    assert!(count < 1_000_000_000, "the number has to have ten digits");
    let numbered = |id: &str| {
        format!("substr({id}, 1, length({id}) - 10) || CAST(1000000000 + place AS TEXT)")
    };
    let same = "merchant, attempt, body_digest, order_ref, amount_minor, currency, capture,
        method, details, state, decline, provider, simulate, sequence, created_at_ms,
        updated_at_ms, lease_until_ms, owner, route_reason";
    format!(
        "INSERT INTO payments (id, session, {same})
            WITH RECURSIVE counter (place) AS (
                SELECT 1 UNION ALL SELECT place + 1 FROM counter WHERE place < {count}
            ) SELECT {}, {}, {same} FROM payments, counter",
        numbered("id"),
        numbered("session")
    )
}

/// SQL that takes them away again.
pub const DELETED: &str = "DELETE FROM payments WHERE session NOT IN (SELECT id FROM sessions)";
