//! The server as its clients see it: over real sockets on loopback, signed in through the development issuer.

mod evening;
mod identity;
mod process;
mod relay;
mod support;
