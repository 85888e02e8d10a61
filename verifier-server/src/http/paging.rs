//! Pages of a list: what one is asked for, and how it is read.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::store::{DatabaseError, Store};
use sealpay_protocol::ids::MerchantId;
use serde::Serialize;
use utoipa::ToSchema;

/// Maximum number of rows of one page.
pub const PAGE_MOST: u32 = 100;
/// Rows of a page when nothing is asked for.
pub const PAGE_DEFAULT: u32 = 20;

/// A page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

/// Which page of a list that is narrowed by nothing else.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<I> {
    /// Only what is older than this one.
    pub after: Option<I>,
    /// At most so many.
    pub limit: u32,
}

/// Which rows of a list, and how many.
pub trait PageFilter {
    /// How many.
    fn limit(&mut self) -> &mut u32;
}

/// The parameters of a list as they arrive; [`list_query!`] makes one.
pub(crate) trait ListParams {
    /// What they ask for.
    type Filter: PageFilter;

    /// What they ask for.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidParameter`](crate::error::ErrorCode::InvalidParameter), which names it.
    fn filter(&self) -> Result<Self::Filter, ApiError>;
}

/// `limit` of a list: 1 to 100.
pub(crate) fn page_limit(limit: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = limit else {
        return Ok(PAGE_DEFAULT);
    };
    // Digits only: the parser alone would take a plus sign too.
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=PAGE_MOST).contains(limit))
        .ok_or_else(|| {
            let detail = format!("limit must be a whole number from 1 to {PAGE_MOST}.");
            ApiError::invalid("limit", detail)
        })
}

/// Makes the parameters of a list: `limit`, and one for each named field of the filter, with the
/// function that reads it. A name in quotes is that of the parameter where the field has another.
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
            /// 1 to 100; 20 when left out.
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

/// Reads a page of a merchant's list: in the merchant's turn where that may look at many rows, and at
/// once where an index gives the page. One row more than the page takes tells whether there are more.
///
/// # Errors
/// [`ErrorCode::Overloaded`](crate::error::ErrorCode::Overloaded) when it is not the merchant's turn in
/// time; an error when the store does not answer.
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
