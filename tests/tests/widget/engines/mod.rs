//! The main flows in the browsers that are not Chromium: an engine of its own lays out, focuses,
//! opens windows and runs WebAssembly in its own way.
//!
//! Each flow also looks for barriers with axe-core, and leaves pictures under
//! `target/screenshots/engines`. What the page hears is tried in Chromium only.

mod flows;

/// Each flow in Firefox and in WebKit.
macro_rules! flows {
    ($($name:ident => $flow:ident,)*) => {
        flows!(firefox, Firefox, $($name => $flow,)*);
        flows!(webkit, WebKit, $($name => $flow,)*);
    };
    ($module:ident, $engine:ident, $($name:ident => $flow:ident,)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::flows::$flow(harness::engine::Engine::$engine).await;
                }
            )*
        }
    };
}

flows! {
    an_approved_card_pays_the_order => pay_by_card,
    a_declined_card_is_replaced_by_another_that_pays => retry_after_a_decline,
    the_code_from_the_phone_pays_the_order => confirm_by_code,
    a_payment_confirmed_in_the_wallet_pays_the_order => pay_by_wallet,
    a_transfer_that_arrives_pays_the_order => pay_by_transfer,
    three_forms_on_one_page_do_not_disturb_each_other => three_forms,
    the_keyboard_alone_pays_the_order => pay_by_keyboard,
}
