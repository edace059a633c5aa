import CCurl
import CSystem

/// What libcurl asks of the loop: which sockets to watch, and when to be called again.
extension EventLoop {
  func configureMulti() {
    let limit = max(1, configuration.maxConnections)
    unsafe rasa_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limit)
    unsafe rasa_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, limit)
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe rasa_curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
    unsafe rasa_curl_multi_set_socket_callback(multi) { easy, socket, what, context, known in
      guard let context = unsafe context else { return 0 }
      if what == CURL_POLL_IN, let easy = unsafe easy { unsafe EventLoop.noteReading(easy) }
      let loop = unsafe Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue()
      unsafe loop.watch(socket, what, isNew: known == nil)
      return 0
    }
    unsafe rasa_curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
    unsafe rasa_curl_multi_set_timer_callback(multi) { _, milliseconds, context in
      guard let context = unsafe context else { return 0 }
      let loop = unsafe Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue()
      loop.setTimer(milliseconds)
      return 0
    }
  }

  /// A socket is written to when it has connected, and read when its peer is to say something.
  private static func noteReading(_ easy: UnsafeMutableRawPointer) {
    var context: UnsafeMutableRawPointer?
    unsafe rasa_curl_get_pointer(easy, CURLINFO_PRIVATE, &context)
    guard let context = unsafe context else { return }
    unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue().noteReading()
  }

  private func watch(_ socket: Int32, _ what: Int32, isNew: Bool) {
    guard what != CURL_POLL_REMOVE else {
      epoll_ctl(poll, EPOLL_CTL_DEL, socket, nil)
      return
    }
    var events: UInt32 = 0
    if what & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
    if what & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
    register(socket, events, isNew: isNew)
    // Any pointer but null marks the socket as known.
    if isNew { unsafe curl_multi_assign(multi, socket, multi) }
  }

  @discardableResult
  func register(_ descriptor: Int32, _ events: UInt32, isNew: Bool) -> Bool {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.fd = descriptor
    let operation = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
    return unsafe epoll_ctl(poll, operation, descriptor, &event) == 0
  }

  private func setTimer(_ milliseconds: Int) {
    curlTimer =
      milliseconds < 0
      ? .max : monotonicNanoseconds() &+ UInt64(min(milliseconds, 86_400_000)) &* 1_000_000
  }

  func curlFlags(_ events: UInt32) -> Int32 {
    var flags: Int32 = 0
    if events & EPOLLIN.rawValue != 0 { flags |= CURL_CSELECT_IN }
    if events & EPOLLOUT.rawValue != 0 { flags |= CURL_CSELECT_OUT }
    if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { flags |= CURL_CSELECT_ERR }
    return flags
  }
}
