//! The state of the codes on the phone.

use super::{MINUTE, SECOND, done, payment, still_code, test};
use crate::phone::CodeState;
use sealpay_provider::authentication::Step;

#[tokio::test]
async fn a_message_has_its_payment_and_the_state_of_its_code() {
    use CodeState::{Expired, Replaced, Used, Valid};
    let test = test("states").await;
    let states = async || -> Vec<_> {
        let sent = test.sent().await.into_iter();
        sent.map(|sent| (sent.message.reference, sent.code_state))
            .collect()
    };
    let (first, second) = (Some(payment(1)), Some(payment(2)));
    test.begin_code(1).await;
    assert_eq!(states().await, [(first, Some(Valid))]);
    test.advance(30 * SECOND);
    still_code(test.step(1, 1, Step::Resend).await);
    assert_eq!(
        states().await,
        [(first, Some(Valid)), (first, Some(Replaced))]
    );
    test.enter_code(1).await;
    // Ids of messages begin with the time: the next one must be later.
    test.advance(1);
    test.begin_code(2).await;
    let of_the_first = [(first, Some(Used)), (first, Some(Replaced))];
    let all = |newest| [(second, Some(newest)), of_the_first[0], of_the_first[1]];
    assert_eq!(states().await, all(Valid));
    test.advance(5 * MINUTE);
    assert_eq!(states().await, all(Expired));
    test.advance(30 * SECOND);
    still_code(test.step(2, 2, Step::Resend).await);
    done(test.step(2, 3, Step::Cancel).await);
    assert_eq!(states().await[0], (second, Some(Expired)));
}
