//! Strangers at a port: other versions, silence, garbage, floods; and foreign ports at which a node dials.
#![expect(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test that it stands in"
)]

use super::*;

#[tokio::test]
async fn no_session_can_be_resumed_and_the_hybrid_group_is_used() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let node = north.forged(|_| {});
    let stranger = Stranger::with(&node, node.chain());
    let config = stranger.config();
    for round in 0..2 {
        let (address, _served) = serve(&river.party, TlsLimits::default()).await;
        let tls = stranger.call(&config, address).await.unwrap();
        let (_, session) = tls.get_ref();
        assert_eq!(
            session.handshake_kind(),
            Some(HandshakeKind::Full),
            "round {round}"
        );
        assert!(!session.is_early_data_accepted());
        let group = session.negotiated_key_exchange_group().map(|g| g.name());
        assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
        assert_eq!(session.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_http2_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let node = north.forged(|_| {});
    for alpn in [None, Some(&b"http/1.1"[..])] {
        let mut stranger = Stranger::with(&node, node.chain());
        stranger.alpn = alpn;
        stranger.refused_at(&river, "a client without h2").await;
    }
}

/// A TLS 1.2 ClientHello (RFC 5246 §7.4.1.2) with a suite that every TLS 1.2 server took.
const TLS12_HELLO: &[u8] = &[
    0x16, 0x03, 0x01, 0x00, 0x2f, // record: handshake, 47 bytes
    0x01, 0x00, 0x00, 0x2b, // ClientHello, 43 bytes
    0x03, 0x03, // TLS 1.2
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, // random
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,   // random
    0x00, // no session
    0x00, 0x02, 0xc0, 0x2f, // ECDHE-RSA-AES128-GCM-SHA256
    0x01, 0x00, // no compression
    0x00, 0x00, // no extensions, so no supported_versions
];

#[tokio::test]
async fn a_tls12_client_is_refused_by_alert() {
    let river = org("river-pay");
    let (address, served) = serve(&river.party, TlsLimits::default()).await;
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(TLS12_HELLO).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(DEADLINE, tcp.read_to_end(&mut answer)).await;
    read.expect("closed in time").unwrap();
    // Record type 21 (alert), level 2 (fatal), and no ServerHello before.
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
    assert_eq!(answer.get(5), Some(&2));
    assert!(!served.is_finished());
    served.abort();
}

fn short() -> TlsLimits {
    TlsLimits {
        handshake_timeout: Duration::from_millis(100),
        ..TlsLimits::default()
    }
}

/// Reads until the server closes; fails after [`DEADLINE`].
async fn closed_by_server(tcp: &mut TcpStream) -> usize {
    let mut answer = Vec::new();
    let read = timeout(DEADLINE, tcp.read_to_end(&mut answer)).await;
    // A reset is a way of closing too.
    read.expect("closed in time").unwrap_or(answer.len())
}

#[tokio::test]
async fn a_silent_client_is_closed_at_the_deadline_and_holds_up_nobody() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (address, _served) = serve(&river.party, short()).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut halting = TcpStream::connect(address).await.unwrap();
    halting.write_all(&TLS12_HELLO[..20]).await.unwrap();
    assert_eq!(closed_by_server(&mut silent).await, 0);
    assert_eq!(closed_by_server(&mut halting).await, 0);
    // Still silent strangers beside it, an honest node gets in.
    let _beside = TcpStream::connect(address).await.unwrap();
    dial(&north.party, address, &river.expected())
        .await
        .unwrap();
}

#[tokio::test]
async fn garbage_is_refused_and_the_port_lives_on() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (address, _served) = serve(&river.party, TlsLimits::default()).await;
    let oversized = [
        &[0x16, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff][..],
        &[7; 70_000],
    ]
    .concat();
    let pieces: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 4096],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &oversized,
    ];
    for garbage in pieces {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        let _ = tcp.write_all(garbage).await;
        closed_by_server(&mut tcp).await;
    }
    dial(&north.party, address, &river.expected())
        .await
        .unwrap();
}

#[tokio::test]
async fn handshakes_at_once_are_bounded() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let limits = TlsLimits {
        handshakes_max: 2,
        ..TlsLimits::default()
    };
    let (address, _served) = serve(&river.party, limits).await;
    let mut places = Vec::new();
    for _ in 0..2 {
        places.push(TcpStream::connect(address).await.unwrap());
    }
    let third = dial(&north.party, address, &river.expected()).await;
    assert!(
        matches!(third, Err(ConnectError::Closed { .. })),
        "{third:?}"
    );
    // Garbage ends one of the two handshakes, which frees its place.
    places[0]
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    closed_by_server(&mut places[0]).await;
    dial(&north.party, address, &river.expected())
        .await
        .unwrap();
}

#[tokio::test]
async fn connections_at_once_are_bounded() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let limits = TlsLimits {
        connections_per_address_max: 1,
        ..TlsLimits::default()
    };
    let (address, served) = serve(&river.party, limits).await;
    let first = dial(&north.party, address, &river.expected())
        .await
        .unwrap();
    let second = dial(&north.party, address, &river.expected()).await;
    assert!(
        matches!(second, Err(ConnectError::Closed { .. })),
        "{second:?}"
    );
    drop(first);
    timeout(DEADLINE, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_proven_client_that_says_nothing_loses_its_place() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (address, mut port) = port(&river.party, &short()).await;
    let node = north.forged(|_| {});
    let stranger = Stranger::with(&node, node.chain());
    let config = stranger.config();
    let silent = tokio::spawn(async move { stranger.call(&config, address).await });
    let mut io = next(&mut port).await;
    let read = timeout(DEADLINE, io.read_u8()).await.expect("in time");
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    silent.abort();
}

#[tokio::test]
async fn nothing_listening_a_silent_and_a_foreign_port_are_told_apart() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let short = Duration::from_millis(100);
    let silent = connect_proven(&north.party, &address.to_string(), &river.expected(), short).await;
    assert!(
        matches!(
            silent,
            Err(ConnectError::Timeout {
                stage: "the TLS handshake",
                ..
            })
        ),
        "{silent:?}"
    );
    let foreign = tokio::spawn(async move {
        // The connection of the attempt above, then the one below.
        for _ in 0..2 {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = tcp.read_to_end(&mut Vec::new()).await;
        }
    });
    let wrong = dial(&north.party, address, &river.expected()).await;
    assert!(
        matches!(wrong, Err(ConnectError::NotEntente { .. })),
        "{wrong:?}"
    );
    timeout(DEADLINE, foreign).await.unwrap().unwrap();
    let gone = dial(&north.party, address, &river.expected()).await;
    assert!(
        matches!(gone, Err(ConnectError::Refused { .. })),
        "{gone:?}"
    );
    let nowhere = connect_proven(&north.party, "no port", &river.expected(), DEADLINE).await;
    assert!(
        matches!(nowhere, Err(ConnectError::Address { .. })),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_handshake_on() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let renewed = north.root.issue("node-2", &[], SystemTime::now()).unwrap();
    north.party.replace(&renewed);
    assert_eq!(north.party.node(), "node-2");
    let (address, served) = serve(&river.party, TlsLimits::default()).await;
    drop(
        dial(&north.party, address, &river.expected())
            .await
            .unwrap(),
    );
    let seen = timeout(DEADLINE, served).await.unwrap().unwrap();
    assert_eq!(seen.node(), "node-2");
}
