//! The link over USB without a USB: packets of a host that is slow, full of words, or gone.

use std::{
    future::Future,
    pin::{Pin, pin},
};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_async::Write;
use hrm_core::wire::{self, Decoder, MAX_FRAME, Response};
use hrm_firmware::{
    lines::Lines,
    usb::{PACKET, Port},
};
use hrm_tests::{
    soak::{self, Amount, Known},
    usb_host::{Host, Uart, next, poll},
};

/// What the interrupt does, until it has nothing to do.
fn interrupt(future: &mut Pin<&mut impl Future>) {
    for _ in 0..1000 {
        assert!(poll(future).is_none());
    }
}

fn open() -> Port<NoopRawMutex> {
    let port = Port::new();
    port.set_plugged(true);
    port.set_listening(true);
    port
}

#[test]
fn a_host_is_held_back_while_nobody_reads_and_nothing_is_lost() {
    let (port, host) = (open(), Host::default());
    let said: Vec<u8> = (0..9000_u32).map(|at| (at * at / 7) as u8).collect();
    let mut rest = &said[..];
    for bytes in (1..=PACKET).cycle() {
        if rest.is_empty() {
            break;
        }
        let (packet, after) = rest.split_at(bytes.min(rest.len()));
        host.says.borrow_mut().push_back(packet.to_vec());
        rest = after;
    }
    let (mut packets, mut heard) = (&host, Vec::<u8>::new());
    let mut taking = pin!(port.take(&mut packets));
    interrupt(&mut taking);
    assert!(!host.says.borrow().is_empty(), "more was taken than there is room for");
    for bytes in [1, 7, 64, 100, 1000].into_iter().cycle() {
        let mut buffer = vec![0; bytes];
        let count = port.read(&mut buffer);
        heard.extend(&buffer[..count]);
        interrupt(&mut taking);
        if count == 0 && !port.has_received() {
            break;
        }
    }
    assert_eq!(heard, said);
}

#[test]
fn an_answer_goes_in_packets_of_which_the_last_is_not_full() {
    for bytes in [1, PACKET - 1, PACKET, PACKET + 1, 2 * PACKET, 1000, 1024] {
        let (port, host) = (open(), Host::default());
        host.takes.set(usize::MAX);
        let answer: Vec<u8> = (0..bytes).map(|at| at as u8 | 1).collect();
        let mut packets = &host;
        let mut giving = pin!(port.give(&mut packets));
        let mut rest = &answer[..];
        while !rest.is_empty() {
            rest = &rest[port.write(rest)..];
            interrupt(&mut giving);
        }
        assert_eq!(host.heard(), [&[0], &answer[..]].concat());
        let heard = host.heard.borrow();
        assert!(heard.iter().all(|packet| packet.len() <= PACKET));
        assert!(heard.last().is_some_and(|last| last.len() < PACKET), "a host would wait for more");
    }
}

#[test]
fn a_closed_port_takes_and_gives_nothing() {
    for (plugged, listening) in [(false, false), (true, false), (false, true)] {
        let (port, host) = (Port::<NoopRawMutex>::new(), Host::default());
        host.takes.set(usize::MAX);
        port.set_plugged(plugged);
        port.set_listening(listening);
        host.says.borrow_mut().push_back(vec![1, 2, 3]);
        let (mut packets, mut other_packets) = (&host, &host);
        let mut taking = pin!(port.take(&mut packets));
        let mut giving = pin!(port.give(&mut other_packets));
        assert_eq!(port.write(&[4; 1000]), 1000, "it would wait for nobody");
        interrupt(&mut taking);
        interrupt(&mut giving);
        assert!(host.says.borrow().is_empty() && !port.has_received() && host.heard().is_empty());
    }
}

#[test]
fn a_program_that_comes_after_another_can_read_its_answer() {
    let (port, host) = (open(), Host::default());
    let mut packets = &host;
    let mut giving = pin!(port.give(&mut packets));
    // The first program goes while its answer is on its way, after one packet of it.
    host.takes.set(1);
    assert!(port.write(&[7; 300]) < 300);
    interrupt(&mut giving);
    port.set_listening(false);
    // A packet that the device has begun to send stays with it.
    port.set_listening(true);
    let mut frame = [0; MAX_FRAME];
    let frame = wire::encode(5, &Response::Cancelled, &mut frame).expect("a short message");
    assert_eq!(port.write(frame), frame.len());
    host.takes.set(usize::MAX);
    host.heard.borrow_mut().clear();
    interrupt(&mut giving);

    let mut decoder = Decoder::new();
    let mut sound = Vec::new();
    for byte in host.heard() {
        if let Some(Ok(envelope)) = decoder.push(byte) {
            let (id, response) = wire::open::<Response<'_>>(envelope).expect("a response");
            sound.push((id, response == Response::Cancelled));
        }
    }
    assert!(host.heard().starts_with(&[7]), "this test needs a packet of the first program's");
    assert_eq!(sound, [(5, true)]);
}

#[test]
fn what_was_received_for_one_program_is_not_there_for_the_next() {
    let (port, host) = (open(), Host::default());
    host.says.borrow_mut().push_back(vec![1; PACKET]);
    let mut packets = &host;
    let mut taking = pin!(port.take(&mut packets));
    interrupt(&mut taking);
    assert!(port.has_received());
    port.set_plugged(false);
    port.set_plugged(true);
    assert!(!port.has_received());
}

#[test]
fn a_device_that_was_unplugged_goes_on() {
    let (port, host) = (open(), Host::default());
    host.takes.set(usize::MAX);
    let (mut packets, mut other_packets) = (&host, &host);
    let mut taking = pin!(port.take(&mut packets));
    let mut giving = pin!(port.give(&mut other_packets));
    interrupt(&mut taking);
    host.gone.set(true);
    port.set_plugged(false);
    interrupt(&mut taking);
    interrupt(&mut giving);
    host.gone.set(false);
    port.set_plugged(true);
    host.heard.borrow_mut().clear();
    host.says.borrow_mut().push_back(vec![1, 2]);
    assert_eq!(port.write(&[3, 4]), 2);
    interrupt(&mut taking);
    interrupt(&mut giving);
    let mut arrived = [0; 8];
    assert_eq!((port.read(&mut arrived), &arrived[..2]), (2, &[1, 2][..]));
    assert_eq!(host.heard(), [0, 3, 4]);
}

#[test]
fn the_uart_is_the_line_until_a_program_opens_the_usb_port_and_after_it_has_closed_it() {
    let (port, host, uart) = (Port::<NoopRawMutex>::new(), Host::default(), Uart::default());
    let mut lines = Lines::new(&uart, &port);
    let mut packets = &host;
    let mut taking = pin!(port.take(&mut packets));
    port.set_plugged(true);
    uart.arrives.borrow_mut().extend([1]);
    assert_eq!(next(&mut lines), Some(1));
    assert_eq!(next(&mut lines), None);

    port.set_listening(true);
    uart.arrives.borrow_mut().extend([2; 100]);
    assert_eq!(next(&mut lines), None, "the UART's bytes would come into the USB port's frame");
    host.says.borrow_mut().push_back(vec![3]);
    interrupt(&mut taking);
    assert_eq!(next(&mut lines), Some(3));
    assert_eq!(next(&mut lines), None);

    port.set_listening(false);
    uart.arrives.borrow_mut().extend([4]);
    assert_eq!(next(&mut lines), Some(4), "what the UART heard before is for nobody");
    assert_eq!(next(&mut lines), None);
}

#[test]
fn a_frame_goes_to_one_line_even_if_the_port_is_opened_or_closed_meanwhile() {
    let (port, uart) = (open(), Uart::default());
    let mut lines = Lines::new(&uart, &port);
    {
        let mut sending = pin!(lines.write_all(&[5; 1000]));
        assert!(poll(&mut sending).is_none(), "nobody takes so much");
        port.set_listening(false);
        assert!(poll(&mut sending).is_some(), "it would wait for a program that is gone");
    }
    assert!(uart.sent.borrow().is_empty());
    assert!(poll(&mut pin!(lines.write_all(&[6; 100]))).is_some());
    assert_eq!(*uart.sent.borrow(), [6; 100]);
}

#[test]
fn plugs_that_are_pulled_and_programs_that_leave_cost_no_answer_but_their_own() {
    let known = Known::tiny();
    for seed in 0..2 {
        let found =
            soak::over_usb(&known, Amount::around(1_000), seed).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(found.answered > 1_000 && found.refused > 100 && found.noticed > 50, "{found:?}");
    }
}

#[test]
fn an_answer_that_is_another_than_this_machines_is_found() {
    let mut known = Known::tiny();
    known.puzzles[7].digests[1].state ^= 1;
    let wrong = soak::over_usb(&known, Amount::around(400), 0).expect_err("one answer is another");
    assert!(wrong.contains("Request: the device answered something else"), "{wrong}");
}
