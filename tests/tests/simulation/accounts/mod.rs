//! Accounts of the simulated bank: limits, authorizations and concurrent payments.

mod authorizations;
mod concurrent_shoppers;
mod every_state;
mod other_currencies;
mod two_verifiers;

use harness::gateway::TestGateway;
use sealpay_simulator::persona;

/// The card of a persona.
fn number_of(name: &str) -> &'static str {
    let persona = persona::all().iter().find(|persona| persona.name == name);
    &persona.expect("there is such a persona").number
}

/// What the bank's own book says of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ledger {
    balance: i64,
    held: i64,
    count: i64,
    sum: i64,
}

/// Reads an account in the bank's own database. The counters are those of its last day.
async fn ledger(gateway: &TestGateway, persona: &str) -> Ledger {
    let sql = format!(
        "SELECT balance_minor, held_minor, day_count, day_sum_minor FROM bank_accounts
         WHERE id = 'persona:{persona}'"
    );
    let rows = gateway.bank_rows(&sql).await;
    let numbers = rows.first().expect("the account is in the book");
    let number = |place: usize| numbers[place].parse().unwrap();
    Ledger {
        balance: number(0),
        held: number(1),
        count: number(2),
        sum: number(3),
    }
}
