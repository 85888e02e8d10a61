//! Pages of lists: query parameters and reading.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::store::{DatabaseError, Store};
use sealpay_protocol::ids::MerchantId;
use serde::Serialize;
use utoipa::ToSchema;

/// Maximum rows of a page.
pub const PAGE_MOST: u32 = 100;
/// Default rows of a page.
pub const PAGE_DEFAULT: u32 = 20;

/// A page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more rows after the last one.
    pub has_more: bool,
}

/// A page of a list without other filters.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<I> {
    /// Older than this row.
    pub after: Option<I>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// The filter of a list, with its limit.
pub trait PageFilter {
    /// The quantity.
    fn limit(&mut self) -> &mut u32;
}

/// The raw query parameters of a list; [`list_query!`] defines them.
pub(crate) trait ListParams {
    /// The parsed filter.
    type Filter: PageFilter;

    /// Parses the parameters.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`](crate::error::ErrorCode::InvalidParameter), which names the
    /// parameter.
    fn filter(&self) -> Result<Self::Filter, ApiError>;
}

/// Parses `limit`: 1 to 100.
pub(crate) fn page_limit(limit: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = limit else {
        return Ok(PAGE_DEFAULT);
    };
    // Digits only: the parser would also accept a plus sign.
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=PAGE_MOST).contains(limit))
        .ok_or_else(|| {
            let detail = format!("limit must be a whole number from 1 to {PAGE_MOST}.");
            ApiError::invalid("limit", detail)
        })
}

/// Defines the query parameters of a list: `limit`, and one for each named field of the filter,
/// with its parse function. A name in quotes is the parameter's, if the field has another.
macro_rules! list_query {
    (
        $(#[$docs:meta])*
        $name:ident => $filter:ty {
            $(
                $(#[$attribute:meta])*
                $field:ident $(= $shown:tt)?: $read:path,
            )*
            $(..$rest:expr)?
        }
    ) => {
        $(#[$docs])*
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            /// 1 to 100; 20 if omitted.
            #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
            limit: Option<String>,
            $(
                $(#[$attribute])*
                $(#[serde(rename = $shown)])?
                $field: Option<String>,
            )*
        }

        impl $crate::http::paging::PageFilter for $filter {
            fn limit(&mut self) -> &mut u32 {
                &mut self.limit
            }
        }

        impl $crate::http::paging::ListParams for $name {
            type Filter = $filter;

            fn filter(&self) -> Result<Self::Filter, $crate::error::ApiError> {
                type Filter = $filter;
                Ok(Filter {
                    limit: $crate::http::paging::page_limit(self.limit.as_deref())?,
                    $(
                        $field: $read(
                            self.$field.as_deref(),
                            $crate::http::paging::list_query!(@name $($shown,)? $field),
                        )?,
                    )*
                    $(..$rest)?
                })
            }
        }
    };
    (@name $shown:tt, $field:ident) => {
        $shown
    };
    (@name $field:ident) => {
        stringify!($field)
    };
}

pub(crate) use list_query;

/// Reads a page of a merchant's list: with the merchant's slot if it may scan many rows, and directly
/// if an index serves the page. One row more than the page tells whether there are more.
///
/// # Errors
/// [`ErrorCode::Overloaded`](crate::error::ErrorCode::Overloaded) if the merchant's slot is not
/// free in time; an error if the store does not respond.
pub(crate) async fn read<F, R, V, T, Reading>(
    gateway: &Gateway,
    (merchant, scans): (MerchantId, bool),
    mut filter: F,
    rows: impl FnOnce(Store, F) -> Reading,
    view: impl FnMut(R) -> V,
) -> Result<Page<T>, ApiError>
where
    F: PageFilter,
    Reading: Future<Output = Result<Vec<R>, DatabaseError>> + Send + 'static,
    R: Send + 'static,
    V: Into<Option<T>>,
    T: ToSchema,
{
    let limit = *filter.limit();
    *filter.limit() = limit.saturating_add(1);
    let reading = rows(gateway.store.clone(), filter);
    let reading = async move { Ok(reading.await?) };
    let rows = gateway
        .merchant_queues
        .list(merchant, scans, reading)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    let rows = rows.into_iter().take(limit);
    Ok(Page {
        data: rows.map(view).filter_map(Into::into).collect(),
        has_more,
    })
}
