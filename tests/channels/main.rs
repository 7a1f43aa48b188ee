//! The channels against servers that nobody here wrote: Postfix's `smtp-sink`, aiosmtpd with TLS, Kannel, Net::SMPP.
//! Twilio, which cannot be had, is played by a few lines of HTTP that answer with its recorded answers; so are the other
//! services.

// Marked as tests, so that their helpers may unwrap as tests may.
#[cfg(test)]
mod centre;
#[cfg(test)]
mod gateways;
#[cfg(test)]
mod kannel;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod messengers;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod smpp;
