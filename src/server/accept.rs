//! Accepts connections and lets actix serve them, each through a lease on its stream.

use std::fmt::Debug;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service,
    map_config,
};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

use crate::transport::capacity::Capacity;
use crate::transport::lease::{Lease, Serve};

use super::Timeouts;

/// How long open connections may hold up the end, in seconds; streams are told to end before.
const SHUTDOWN_SECONDS: u64 = 2;

/// Bytes that the kernel may hold unsent for a connection: stale ticks wait in the hub, where they can still be
/// left out, and not in the kernel, which takes 4 MB of them by default.
const NOT_SENT_BYTES: u32 = 16 * 1024;

/// A server of what `app` makes in each worker thread. It is what actix-web's own `HttpServer` builds, but for the lease.
pub(super) fn listen<F, I, S, B>(
    listener: TcpListener,
    workers: usize,
    timeouts: Timeouts,
    capacity: Arc<Capacity>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error>,
    S::InitError: Debug,
    S::Response: Into<Response<B>>,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let builder = Server::build()
        .workers(workers)
        // Ours counts connections that are no longer actix's, too.
        .max_concurrent_connections(usize::MAX)
        .shutdown_timeout(SHUTDOWN_SECONDS);
    let shutdown = builder.graceful_shutdown_signal();
    builder.listen("http", listener, move || {
        let (shutdown, capacity) = (shutdown.clone(), Arc::clone(&capacity));
        let app = app()
            .into_factory()
            .map_err(|error| error.into().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .keep_alive(timeouts.keep_alive)
            .client_request_timeout(timeouts.request)
            // Any other value below a second delays or loses the end of a connection after a close frame.
            .client_disconnect_timeout(Duration::ZERO)
            // A client that has closed its side is gone: nothing of ours makes sense to half a connection.
            .h1_allow_half_closed(false)
            .on_connect_ext(|lease: &Lease, data| lease.note(data))
            .finish(map_config(app, |_| AppConfig::default()));
        let http = Rc::new(http);
        fn_factory(move || {
            let (http, capacity) = (Rc::clone(&http), Arc::clone(&capacity));
            async move {
                let http = Rc::new(http.new_service(()).await?);
                let leases = Rc::clone(&http);
                let serve: Serve = Rc::new(move |lease| {
                    let peer = lease.peer();
                    let served = leases.call((lease, Protocol::Http1, peer));
                    actix_web::rt::spawn(served);
                });
                Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                    prepare(&stream, timeouts.client);
                    let peer = stream.peer_addr().ok();
                    let lease = Lease::new((stream, capacity.place()), Vec::new(), &serve);
                    http.call((lease, Protocol::Http1, peer))
                }))
            }
        })
    })
}

fn prepare(stream: &TcpStream, client_timeout: Duration) {
    let socket = SockRef::from(stream);
    // A kernel that does not know an option serves all the same: later, with staler ticks, or to hosts that are gone.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_notsent_lowat(NOT_SENT_BYTES);
    let _ = socket.set_tcp_user_timeout(Some(client_timeout));
    // The timeout above overrules the number of probes.
    let probes = TcpKeepalive::new()
        .with_time(client_timeout / 3)
        .with_interval(client_timeout / 3);
    let _ = socket.set_tcp_keepalive(&probes);
}
