//! Promises by ticket, and settling many of them in one call into JS.
//!
//! A promise that napi makes costs a persistent handle, and two calls into V8 to settle it. JS makes and settles its
//! own within compiled code, for a quarter of that. So native code knows a promise by a small number only, `tickets.js`
//! has the resolving functions, and what a drain has to settle goes over in one call per handle scope.

use std::cell::RefCell;
use std::ptr;

use napi::bindgen_prelude::{Result, check_status, sys};

use super::{Callback, Environment};

/// Stands for a promise that is not settled. Used again when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u32);

/// The tickets that are free.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    returned: Vec<Ticket>,
    /// The first that was never issued.
    next: u32,
}

/// What a promise is settled with, in a handle of the scope that is open.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    Fulfilled(sys::napi_value),
    Rejected(sys::napi_value),
}

/// A promise about to be settled.
#[derive(Clone, Copy, Debug)]
pub struct Settlement {
    pub ticket: Ticket,
    pub verdict: Verdict,
    pub pool: u32,
}

/// Settlements that wait for their call into JS, and the arguments of that call.
#[derive(Debug, Default)]
pub(super) struct Settling {
    settlements: RefCell<Vec<Settlement>>,
    arguments: RefCell<Vec<sys::napi_value>>,
}

impl Environment {
    /// The array that resolving functions are kept in: the first one that was handed in.
    pub(in crate::bindings) fn share_settlers(&self, settlers: sys::napi_value) -> Result<sys::napi_value> {
        let mut reference = self.settlers.get();
        let mut shared = ptr::null_mut();
        // SAFETY: a valid handle of this environment, on its thread. The reference is never deleted.
        unsafe {
            if reference.is_null() {
                check_status!(sys::napi_create_reference(self.raw, settlers, 1, &raw mut reference))?;
                self.settlers.set(reference);
            }
            check_status!(sys::napi_get_reference_value(self.raw, reference, &raw mut shared))?;
        }
        Ok(shared)
    }

    pub(in crate::bindings) fn issue_ticket(&self) -> Ticket {
        let mut tickets = self.tickets.borrow_mut();
        tickets.returned.pop().unwrap_or_else(|| {
            tickets.next += 1;
            Ticket(tickets.next - 1)
        })
    }

    pub(in crate::bindings) fn return_ticket(&self, ticket: Ticket) {
        self.tickets.borrow_mut().returned.push(ticket);
    }

    /// A ticket as JS gets it.
    pub(in crate::bindings) fn ticket_value(&self, Ticket(number): Ticket) -> Result<sys::napi_value> {
        self.whole_number(number)
    }

    fn whole_number(&self, number: u32) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: on the environment's thread.
        check_status!(unsafe { sys::napi_create_uint32(self.raw, number, &raw mut value) })?;
        Ok(value)
    }

    /// Settles a promise with the next [`Environment::settle_now`], before the handle scope closes.
    pub(in crate::bindings) fn settle_soon(&self, settlement: Settlement) {
        self.settling.settlements.borrow_mut().push(settlement);
    }

    /// Settles all promises that are to be settled soon, in order. Accounts are done afterwards, as the last promise
    /// of a pool that closes has its close event follow.
    pub(in crate::bindings) fn settle_now(&self) {
        // Taken out, as reading a result's `then` may run anything.
        let mut settlements = self.settling.settlements.take();
        if settlements.is_empty() {
            return;
        }
        let mut arguments = self.settling.arguments.take();
        arguments.clear();
        for Settlement { ticket: Ticket(ticket), verdict, .. } in &settlements {
            let (place, value) = match *verdict {
                Verdict::Fulfilled(value) => (ticket * 2, value),
                Verdict::Rejected(value) => (ticket * 2 + 1, value),
            };
            arguments.push(self.whole_number(place).unwrap_or_else(|_| self.undefined()));
            arguments.push(value);
        }
        // It can only fail when the environment is ending, and then nobody waits any more.
        let _ = self.call(Callback::Settle, &arguments);
        self.settling.arguments.replace(arguments);
        self.tickets.borrow_mut().returned.extend(settlements.iter().map(|one| one.ticket));
        for run in settlements.chunk_by(|one, next| one.pool == next.pool) {
            self.tasks_settled(run[0].pool, run.len() as u32);
        }
        settlements.clear();
        self.settling.settlements.replace(settlements);
    }
}
