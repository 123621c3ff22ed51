//! Whole answers to polls: head and message in one, made once for all who get the same.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use httpdate::HttpDate;

use crate::wire::frame::Frame;

/// Makes answers, and keeps the last one.
#[derive(Debug, Default)]
pub(super) struct Answers {
    last: RefCell<Option<(Rc<Frame>, Rc<Frame>)>>,
    /// The second that the date was written in, and the date.
    date: RefCell<Option<(HttpDate, String)>>,
}

impl Answers {
    /// The answer that brings a message; with `last`, nothing follows it on its connection.
    pub(super) fn of(&self, message: &Rc<Frame>, last: bool) -> Rc<Frame> {
        if last {
            return self.make(message, "connection: close\r\n");
        }
        if let Some((of, answer)) = &*self.last.borrow()
            && Rc::ptr_eq(of, message)
        {
            return Rc::clone(answer);
        }
        let answer = self.make(message, "");
        *self.last.borrow_mut() = Some((Rc::clone(message), Rc::clone(&answer)));
        answer
    }

    fn make(&self, message: &Frame, more: &str) -> Rc<Frame> {
        let length = message.bytes.len();
        let date = self.date();
        Rc::new(message.answer(&format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncontent-type: application/json\r\n\
             cache-control: no-store\r\n{more}date: {date}\r\n\r\n"
        )))
    }

    /// The date of answers (RFC 9110, 6.6.1), written once a second.
    fn date(&self) -> String {
        let now = HttpDate::from(SystemTime::now());
        let date = &mut *self.date.borrow_mut();
        match date {
            Some((second, text)) if *second == now => text.clone(),
            _ => date.insert((now, now.to_string())).1.clone(),
        }
    }
}
