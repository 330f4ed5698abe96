//! Tests of the registry of frames and documents.

use super::*;

const PAGE: u64 = 10;

fn new(document: u64, frame: u64, parent: Option<u64>) -> NewDocument {
    NewDocument {
        page: PAGE,
        document,
        frame,
        parent,
        url: format!("https://example.test/{document}").into(),
        origin: "https://example.test".into(),
        name: String::new(),
        generation: u64::from(parent.is_none()),
    }
}

/// A registry with one page, bound to one agent.
fn bound() -> (Registry, AgentId, ContentsId, FrameKey) {
    let mut registry = Registry::default();
    let contents = ContentsId(1);
    let main = registry.add_contents(contents);
    let agent = registry.add_agent(77, false);
    assert_eq!(registry.bind_page(agent, PAGE, contents), Some(vec![]));
    (registry, agent, contents, main)
}

/// The removed frames and documents, as `frame 2` and `document 1`.
fn names(gone: &[Gone]) -> Vec<String> {
    let name = |gone: &Gone| match gone {
        Gone::Document(document) => format!("document {}", document.wire),
        Gone::Frame(key, _) => format!("frame {}", key.get()),
    };
    gone.iter().map(name).collect()
}

#[test]
fn a_main_frame_outlives_its_documents_and_processes() {
    let (mut registry, agent, contents, main) = bound();
    let (first, gone) = registry.document_created(agent, new(1, 5, None)).unwrap();
    assert_eq!((first.frame, first.main_frame, gone.len()), (main, true, 0));
    let (second, _) = registry.document_created(agent, new(2, 5, None)).unwrap();
    assert_eq!(second.frame, main);
    assert_ne!(second.id, first.id);
    // The replaced document may still send until it is gone.
    assert_eq!(registry.document_of(agent, 1).unwrap().frame, main);
    assert_eq!(names(&registry.document_gone(agent, 1, false).unwrap()), ["document 1"]);
    assert_eq!(registry.document_in(main).unwrap().id, second.id);
    assert_eq!(names(&registry.remove_agent(agent)), ["document 2"]);
    assert!(registry.frame(main).is_some() && registry.document_in(main).is_none());
    let agent = registry.add_agent(78, true);
    registry.bind_page(agent, PAGE, contents).unwrap();
    assert_eq!(registry.document_created(agent, new(1, 5, None)).unwrap().0.frame, main);
    assert_eq!(registry.pid(agent), Some(78));
}

#[test]
fn child_frames_go_with_the_document_they_are_in() {
    let (mut registry, agent, _, main) = bound();
    registry.document_created(agent, new(1, 1, None)).unwrap();
    let (child, _) = registry.document_created(agent, new(2, 2, Some(1))).unwrap();
    let (grandchild, _) = registry.document_created(agent, new(3, 3, Some(2))).unwrap();
    assert_eq!(registry.frame(main).unwrap().children, [child.frame]);
    assert_eq!(registry.frame(grandchild.frame).unwrap().parent, Some(child.frame));
    // Navigating the child keeps its frame.
    let (again, gone) = registry.document_created(agent, new(4, 2, Some(1))).unwrap();
    assert_eq!((again.frame, names(&gone)), (child.frame, vec!["document 3".into(), "frame 3".to_string()]));
    let gone = registry.document_gone(agent, 4, true).unwrap();
    assert_eq!(names(&gone), ["document 4", "frame 2"]);
    assert!(registry.frame(child.frame).is_none());
    assert!(registry.frame(main).unwrap().children.is_empty());
    // Its number is never used again.
    let (other, _) = registry.document_created(agent, new(5, 2, Some(1))).unwrap();
    assert_ne!(other.frame, child.frame);
}

#[test]
fn a_late_end_of_a_replaced_document_does_not_touch_its_frame() {
    let (mut registry, agent, _, main) = bound();
    registry.document_created(agent, new(1, 1, None)).unwrap();
    registry.document_created(agent, new(2, 1, None)).unwrap();
    let (child, _) = registry.document_created(agent, new(3, 2, Some(1))).unwrap();
    assert_eq!(names(&registry.document_gone(agent, 1, true).unwrap()), ["document 1"]);
    assert!(registry.frame(child.frame).is_some());
    assert_eq!(registry.document_in(main).unwrap().wire, 2);
}

#[test]
fn what_is_not_an_agents_own_is_refused() {
    let (mut registry, agent, contents, _) = bound();
    registry.document_created(agent, new(1, 1, None)).unwrap();
    let other = registry.add_agent(78, true);
    assert!(registry.document_created(other, new(1, 1, None)).is_none());
    assert!(registry.document_gone(other, 1, true).is_none());
    assert!(registry.document_of(other, 1).is_none());
    assert!(registry.contents_of(other, PAGE).is_none());
    // A number in use, an unknown parent, an unknown page, a frame that changes its parent.
    assert!(registry.document_created(agent, new(1, 9, None)).is_none());
    assert!(registry.document_created(agent, new(2, 2, Some(99))).is_none());
    assert!(registry.document_created(agent, NewDocument { page: 11, ..new(2, 2, None) }).is_none());
    registry.document_created(agent, new(2, 2, Some(1))).unwrap();
    assert!(registry.document_created(agent, new(3, 2, None)).is_none());
    assert!(registry.document_created(agent, new(3, 2, Some(2))).is_none());
    // A page number in use, and a page that does not exist in the registry.
    assert!(registry.bind_page(agent, PAGE, contents).is_none());
    assert!(registry.bind_page(agent, 12, ContentsId(99)).is_none());
}

#[test]
fn a_frame_is_not_taken_into_another_page_of_the_same_process() {
    let (mut registry, agent, _, _) = bound();
    registry.add_contents(ContentsId(2));
    registry.bind_page(agent, 11, ContentsId(2)).unwrap();
    registry.document_created(agent, new(1, 1, None)).unwrap();
    assert!(registry.document_created(agent, NewDocument { page: 11, ..new(2, 1, None) }).is_none());
    assert!(registry.document_created(agent, NewDocument { page: 11, ..new(2, 2, Some(1)) }).is_none());
    assert_eq!(registry.page_count(agent), 2);
}

#[test]
fn a_page_that_moves_to_another_process_leaves_the_first() {
    let (mut registry, agent, contents, main) = bound();
    registry.document_created(agent, new(1, 1, None)).unwrap();
    registry.document_created(agent, new(2, 2, Some(1))).unwrap();
    let other = registry.add_agent(78, true);
    let gone = registry.bind_page(other, 3, contents).unwrap();
    assert_eq!(names(&gone), ["document 2", "frame 2", "document 1"]);
    assert_eq!(registry.page(contents), Some((other, 3)));
    assert_eq!(registry.page_count(agent), 0);
    assert!(registry.document_created(agent, new(5, 1, None)).is_none());
    assert_eq!(names(&registry.remove_contents(contents)), [format!("frame {}", main.get())]);
    assert!(registry.frame(main).is_none());
}

#[test]
fn an_agent_has_limits() {
    let (mut registry, agent, _, _) = bound();
    registry.document_created(agent, new(0, 0, None)).unwrap();
    for number in 1..MAX_FRAMES_PER_AGENT as u64 {
        registry.document_created(agent, new(number, number, Some(0))).unwrap();
    }
    let number = MAX_FRAMES_PER_AGENT as u64;
    assert!(registry.document_created(agent, new(number, number, Some(0))).is_none());
    for number in number..MAX_DOCUMENTS_PER_AGENT as u64 {
        registry.document_created(agent, new(number, 1, Some(0))).unwrap();
    }
    let number = MAX_DOCUMENTS_PER_AGENT as u64;
    assert!(registry.document_created(agent, new(number, 1, Some(0))).is_none());
    for page in 100..100 + MAX_PAGES_PER_AGENT as u64 - 1 {
        let contents = ContentsId(page as u32);
        registry.add_contents(contents);
        registry.bind_page(agent, page, contents).unwrap();
    }
    registry.add_contents(ContentsId(5000));
    assert!(registry.bind_page(agent, 5000, ContentsId(5000)).is_none());
}

#[test]
fn frames_in_frames_have_a_limit() {
    let (mut registry, agent, _, _) = bound();
    registry.document_created(agent, new(0, 0, None)).unwrap();
    for depth in 1..MAX_FRAME_DEPTH as u64 {
        registry.document_created(agent, new(depth, depth, Some(depth - 1))).unwrap();
    }
    let deepest = MAX_FRAME_DEPTH as u64;
    assert!(registry.document_created(agent, new(deepest, deepest, Some(deepest - 1))).is_none());
    // A sibling of the deepest frame is allowed, and all are removed with the document that
    // contains them.
    registry.document_created(agent, new(deepest, deepest, Some(deepest - 2))).unwrap();
    let (_, gone) = registry.document_created(agent, new(deepest + 1, 0, None)).unwrap();
    assert_eq!(gone.len(), 2 * MAX_FRAME_DEPTH);
    assert_eq!(names(&gone)[0], format!("document {}", deepest - 1), "the inner ones first, elder ones before younger ones");
}

#[test]
fn removing_a_chain_of_frames_needs_no_stack() {
    let (mut registry, agent, contents, main) = bound();
    // Deeper than the limit allows an agent, so that the test shows that removal does not depend on
    // it.
    let mut parent = main;
    for _ in 0..100_000 {
        let key = registry.next_frame();
        registry.frames.insert(key, PageFrame { parent: Some(parent), contents: contents.0, ..PageFrame::default() });
        registry.frames.get_mut(&parent).unwrap().children.push(key);
        parent = key;
    }
    registry.document_created(agent, new(1, 1, None)).unwrap();
    assert_eq!(registry.frames.len(), 1);
}

#[test]
fn an_agents_documents_share_room_for_their_texts() {
    let (mut registry, agent, _, _) = bound();
    let long = |document: u64| NewDocument {
        url: "u".repeat(MAX_TEXT_PER_AGENT / 4).into(),
        ..new(document, document, (document > 0).then_some(0))
    };
    for document in 0..3 {
        registry.document_created(agent, long(document)).unwrap();
    }
    assert!(registry.document_created(agent, long(3)).is_none());
    registry.document_created(agent, new(4, 4, Some(0))).unwrap();
    // A removed document returns its share of the limit.
    registry.document_gone(agent, 2, false).unwrap();
    registry.document_created(agent, long(5)).unwrap();
    registry.document_gone(agent, 0, false).unwrap();
    assert_eq!(registry.agents[&agent].text, 0);
}
