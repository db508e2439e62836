//! Stripe's objects, as far as they are read, at API version [`super::STRIPE_VERSION`]. Tolerant: unknown fields are
//! ignored, unknown enum strings become `Other`, ids are opaque. Amounts are integers in minor units of `currency`
//! (lowercase ISO), times whole seconds since the epoch.

mod account;
mod balance;
mod common;
mod coupon;
mod customer;
mod decimal;
mod discount;
mod event;
mod grant;
mod list;
mod payment_link;
mod payment_method;
mod preview;
mod price;
mod product;
mod profile;
mod promotion_code;
mod schedule;
mod subscription;
mod tax_rate;
mod tax_settings;

pub use account::{Account, BusinessProfile, Dashboard, Settings};
pub use balance::{BalanceTransaction, BalanceTransactionType, CashBalance};
pub use common::Expandable;
pub use coupon::{AppliesTo, Coupon, CouponDuration, CouponOption};
pub use customer::{Customer, InvoiceSettings};
pub use decimal::Decimal;
pub use discount::{Discount, DiscountSource};
pub use event::{Event, EventRequest};
pub use grant::{CreditGrant, GrantAmount, GrantCategory, Monetary};
pub use list::List;
pub use payment_link::{LinkItem, PaymentLink};
pub use payment_method::{Bank, Card, PaymentMethod, Wallet};
pub use preview::InvoicePreview;
pub use price::{CurrencyOption, CustomUnitAmount, Price, Recurring, Tier, TransformQuantity};
pub use product::{MarketingFeature, PackageDimensions, Product};
pub use profile::{
    Address, CustomField, CustomerProfile, ProfileInvoiceSettings, RenderingOptions, Shipping, TaxId,
};
pub use promotion_code::{CodeRestrictions, MinimumOption, Promotion, PromotionCode};
pub use schedule::{
    Schedule, ScheduleDefaults, ScheduleDiscount, ScheduleInvoices, ScheduleItem, SchedulePhase,
    ScheduleStatus,
};
pub use subscription::{
    AutomaticTax, BillingMode, CollectionMethod, Issued, Party, PauseCollection, Subscription,
    SubscriptionItem, SubscriptionStatus, TaxRateId,
};
pub use tax_rate::TaxRate;
pub use tax_settings::{RegistrationOption, TaxDefaults, TaxRegistration, TaxSettings};

#[cfg(test)]
mod tests;
