import CCurl
import Glibc

/// The transfers whose callbacks have run since the loop last looked.
final class ArrivedTransfers {
  var transfers: [RunningTransfer] = []
}

/// A transfer while libcurl works on it: the easy handle and what its callbacks have gathered.
/// Lives and dies on the loop's thread, and holds still in memory because libcurl points to it.
@safe final class RunningTransfer {
  /// Bytes that may wait for a slow consumer; beyond it the peer is made to wait.
  static let bufferLimit = 256 * 1024
  static let headerLimit = 256 * 1024

  let transfer: Transfer
  let easy: UnsafeMutableRawPointer
  private var requestHeaders: UnsafeMutablePointer<curl_slist>?
  private var resolutions: UnsafeMutablePointer<curl_slist>?
  /// Where libcurl writes what went wrong.
  private let errorText: UnsafeMutablePointer<CChar>

  private var status = 0
  private var headers = HTTPHeaders()
  private var headerBytes = 0
  private(set) var hasHead = false
  private var isHeaderTooLarge = false
  private var isWithheld = false
  /// An address that it resolved to and that is not to be reached.
  private var refusedAddress: NumericAddress?

  private let arrivals: ArrivedTransfers
  private var isListed = false
  private var hasEnded = false
  private var incoming: [UInt8] = []
  private var buffered = 0
  private var isPaused = false
  private let connectTimeout: Duration
  private let store: CertificateStore?
  private let startedAt = monotonicNanoseconds()
  private let foreignCAFiles: [NetworkSettings.Choice]
  private var hasConnected = false
  private var hasBegunSending = false

  /// Nil when libcurl has no memory for a handle.
  init?(
    _ transfer: Transfer, configuration: HTTPClientConfiguration, store: CertificateStore?,
    arrivals: ArrivedTransfers
  ) {
    guard let easy = unsafe curl_easy_init() else { return nil }
    self.transfer = transfer
    connectTimeout = transfer.request.connectTimeout ?? configuration.connectTimeout
    self.store = store
    foreignCAFiles = configuration.network.foreignCAFiles
    self.arrivals = arrivals
    unsafe self.easy = easy
    let size = Int(CURL_ERROR_SIZE)
    unsafe errorText = .allocate(capacity: size)
    unsafe errorText.initialize(repeating: 0, count: size)
    unsafe requestHeaders = nil
    unsafe resolutions = nil
    configure(configuration)
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe curl_slist_free_all(requestHeaders)
    unsafe curl_slist_free_all(resolutions)
    unsafe errorText.deallocate()
  }
}

// MARK: - Options

extension RunningTransfer {
  private func configure(_ configuration: HTTPClientConfiguration) {
    let request = transfer.request
    set(CURLOPT_URL, request.url)
    set(CURLOPT_PROTOCOLS_STR, request.allowsPlainHTTP ? "https,http" : "https")
    set(CURLOPT_PATH_AS_IS, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_FAILONERROR, 0)
    set(CURLOPT_HTTP09_ALLOWED, 0)
    set(
      CURLOPT_HTTP_VERSION,
      configuration.http2 ? Int(CURL_HTTP_VERSION_2TLS) : Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)

    // No signals on a thread of a library; no waiting for a resolver whose answer nobody wants.
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(connectTimeout))
    set(CURLOPT_BUFFERSIZE, 64 * 1024)

    // An empty proxy keeps libcurl from asking the environment for one.
    set(CURLOPT_PROXY, transfer.route.proxy?.url ?? "")
    set(CURLOPT_NOPROXY, "")
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    if let store { trust(store) }
    // Some servers pack what they send without being asked, and libcurl unpacks only where it asks.
    set(CURLOPT_ACCEPT_ENCODING, "identity")

    set(CURLOPT_USERAGENT, configuration.userAgent)
    setBody(request)
    setHeaders(request)

    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe rasa_curl_set_pointer(easy, CURLOPT_PRIVATE, context)
    unsafe rasa_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    unsafe rasa_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
    unsafe rasa_curl_set_bytes_callback(easy, CURLOPT_WRITEFUNCTION) {
      bytes, size, count, context in
      guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
      let running = unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue()
      return unsafe running.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    // Called when the connection stands, each time before the request is written to it.
    unsafe rasa_curl_set_pointer(easy, CURLOPT_PREREQDATA, context)
    unsafe rasa_curl_set_prerequest_callback(easy) { context, peer, _, _, _ in
      guard let context = unsafe context else { return Int32(CURL_PREREQFUNC_ABORT) }
      let running = unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue()
      guard unsafe running.mayUseConnection(to: peer) else { return Int32(CURL_PREREQFUNC_ABORT) }
      return Int32(running.beginSending() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT)
    }
    if transfer.addressCheck != .none { unsafe checkAddresses(context) }
    if let resolver = configuration.resolver { resolve(by: resolver) }
    unsafe rasa_curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
    unsafe rasa_curl_set_bytes_callback(easy, CURLOPT_HEADERFUNCTION) {
      bytes, size, count, context in
      guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
      let running = unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue()
      return unsafe running.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
  }

  /// Before a connection is made, so that not even a handshake reaches what must not be reached.
  private func checkAddresses(_ context: UnsafeMutableRawPointer) {
    unsafe rasa_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
    unsafe rasa_curl_set_open_socket_callback(easy) { context, _, address in
      guard let context = unsafe context, let address = unsafe address else { return -1 }
      let running = unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue()
      // The member is as long as its family needs, not as long as it is declared.
      let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
      let place = unsafe (UnsafeRawPointer(address) + offset).assumingMemoryBound(to: sockaddr.self)
      guard unsafe running.mayReach(NumericAddress(place)) else { return -1 }
      return unsafe socket(
        address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
        address.pointee.protocol)
    }
  }

  private func resolve(by resolver: HTTPClientConfiguration.Resolver) {
    guard transfer.route.proxy == nil, let parts = URLParts(transfer.request.url),
      let addresses = resolver(parts.host)
    else { return }
    let entry = "\(parts.host):\(parts.port):\(addresses.joined(separator: ","))"
    unsafe resolutions = curl_slist_append(nil, entry)
    unsafe rasa_curl_set_pointer(easy, CURLOPT_RESOLVE, resolutions)
  }

  private func trust(_ store: CertificateStore) {
    set(CURLOPT_CAINFO, store.file?.value)
    set(CURLOPT_CAPATH, store.folder?.value)
    guard transfer.route.proxy?.kind == .https else { return }
    set(CURLOPT_PROXY_CAINFO, store.file?.value)
    set(CURLOPT_PROXY_CAPATH, store.folder?.value)
  }

  private func setBody(_ request: HTTPRequest) {
    if !request.body.isEmpty || request.method == "POST" {
      unsafe rasa_curl_set_offset(
        easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
      _ = unsafe request.body.withUnsafeBytes { bytes in
        unsafe rasa_curl_set_pointer(
          easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      }
    }
    switch request.method {
    case "POST": set(CURLOPT_POST, 1)
    case "HEAD": set(CURLOPT_NOBODY, 1)
    case "GET" where request.body.isEmpty: set(CURLOPT_HTTPGET, 1)
    default: set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func setHeaders(_ request: HTTPRequest) {
    // A name with a bare colon takes out what libcurl would send by itself: it asks for leave
    // before large bodies, and calls every body a form.
    var lines = ["Expect:"]
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      lines.append("Content-Type:")
    }
    for header in request.headers {
      lines.append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
    }
    for line in lines { unsafe requestHeaders = curl_slist_append(requestHeaders, line) }
    unsafe rasa_curl_set_pointer(easy, CURLOPT_HTTPHEADER, requestHeaders)
  }

  private func set(_ option: CURLoption, _ value: Int) {
    unsafe rasa_curl_set_long(easy, option, value)
  }

  private func set(_ option: CURLoption, _ value: String) {
    unsafe rasa_curl_set_string(easy, option, value)
  }

  private func set(_ option: CURLoption, _ value: String?) {
    guard let value else {
      unsafe rasa_curl_set_pointer(easy, option, nil)
      return
    }
    set(option, value)
  }

  private func milliseconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    let whole = Int(clamping: seconds).multipliedReportingOverflow(by: 1000)
    let sum = whole.partialValue.addingReportingOverflow(Int(attoseconds / 1_000_000_000_000_000))
    // Zero would mean libcurl's own default of five minutes.
    return whole.overflow || sum.overflow ? Int(Int32.max) : max(1, sum.partialValue)
  }
}

// MARK: - What comes in

extension RunningTransfer {
  private func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
    // Trailers after a chunked body come here too.
    if hasHead { return line.count }
    headerBytes += line.count
    guard headerBytes <= Self.headerLimit else {
      isHeaderTooLarge = true
      return 0
    }
    var text = unsafe line[...]
    while let last = unsafe text.last, last == 10 || last == 13 { unsafe text.removeLast() }
    if unsafe text.starts(with: "HTTP/".utf8) {
      // Every response starts over, also the one after an interim response.
      headers = HTTPHeaders()
      let words = unsafe text.split(separator: 32, maxSplits: 2)
      status = unsafe words.count < 2 ? 0 : Int(String(decoding: words[1], as: UTF8.self)) ?? 0
    } else if unsafe !text.isEmpty {
      unsafe headers.append(line: text)
    } else if status >= 200 {
      hasHead = true
      list()
      transfer.receive(head: HTTPResponseHead(status: status, headers: headers))
    }
    return line.count
  }

  private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    list()
    guard buffered + incoming.count < Self.bufferLimit else {
      isPaused = true
      return Int(CURL_WRITEFUNC_PAUSE)
    }
    unsafe incoming.append(contentsOf: bytes)
    return bytes.count
  }

  /// Nothing is handed over from inside a callback: the consumer is woken once for all of them.
  private func list() {
    guard !isListed else { return }
    isListed = true
    arrivals.transfers.append(self)
  }

  /// Gives what has come in to the consumer, and goes on with a transfer that has paused itself if
  /// the consumer took everything.
  func handOver() {
    isListed = false
    // It has ended since, and all of it has been handed over.
    guard !hasEnded else { return }
    let unpause: Bool
    (buffered, unpause) = transfer.receive(&incoming, isPaused: isPaused)
    if unpause { self.unpause() }
  }

  /// The consumer has emptied the buffer. libcurl may call back from in here.
  func unpause() {
    guard isPaused else { return }
    isPaused = false
    buffered = 0
    unsafe curl_easy_pause(easy, Int32(CURLPAUSE_CONT))
  }

  /// Nothing more will come in.
  func finish(_ code: CURLcode) {
    hasEnded = true
    transfer.finish(outcome(code), after: &incoming)
  }

  private func mayReach(_ address: NumericAddress?) -> Bool {
    guard let address, address.restriction == nil else {
      refusedAddress = address
      return false
    }
    return true
  }

  /// A connection that stood before may be somebody's who is allowed more.
  private func mayUseConnection(to peer: UnsafeMutablePointer<CChar>?) -> Bool {
    guard transfer.addressCheck != .none else { return true }
    return mayReach(unsafe peer.flatMap { unsafe NumericAddress(exact: String(cString: $0)) })
  }

  /// Whether the request leaves now; what is held back was not sent.
  private func beginSending() -> Bool {
    hasBegunSending = true
    isWithheld = !(transfer.request.maySend?() ?? true)
    return !isWithheld && transfer.beginSending()
  }

  private func outcome(_ code: CURLcode) -> Result<Void, HTTPError> {
    if isWithheld { return .failure(.withheld) }
    if code != CURLE_OK, !hasBegunSending, let refusedAddress,
      let restriction = refusedAddress.restriction
    {
      let host = URLParts(transfer.request.url)?.host ?? ""
      return .failure(.refusedAddress(host, refusedAddress.text, restriction))
    }
    if code == CURLE_OK {
      return hasHead
        ? .success(()) : .failure(HTTPError(.protocolViolation, "not an HTTP response"))
    }
    if isHeaderTooLarge || (!hasHead && headerBytes > 0 && code == CURLE_OUT_OF_MEMORY) {
      return .failure(HTTPError(.tooLarge, "the response's headers are too large"))
    }
    // No other limit of time is set: libcurl's own is about connecting.
    if code == CURLE_OPERATION_TIMEDOUT { return .failure(notConnected(within: connectTimeout)) }
    return .failure(failedTransfer(code).error)
  }

  /// Why the response has not begun by its deadline.
  func headLate() -> HTTPError { hasBegunSending ? .headersLate : notConnected(within: nil) }

  private func notConnected(within limit: Duration?) -> HTTPError {
    let waited = (monotonicNanoseconds() &- startedAt) / 1_000_000
    return failedTransfer(CURLE_OPERATION_TIMEDOUT).notConnected(
      within: limit ?? .milliseconds(Int64(waited > 1_000 ? waited / 1_000 * 1_000 : waited)))
  }

  private func failedTransfer(_ code: CURLcode) -> FailedTransfer {
    FailedTransfer(
      code: code, detail: unsafe String(cString: errorText), url: transfer.request.url,
      route: transfer.route, store: store, hasHead: hasHead, stage: stage,
      verification: number(CURLINFO_SSL_VERIFYRESULT),
      proxyVerification: number(CURLINFO_PROXY_SSL_VERIFYRESULT),
      connectStatus: number(CURLINFO_HTTP_CONNECTCODE),
      proxyMethods: number(CURLINFO_PROXYAUTH_AVAIL), foreign: foreignCAFiles)
  }

  /// Its socket waits for bytes. Before the name has resolved it is the resolver's.
  func noteReading() {
    if !hasBegunSending, !hasConnected {
      hasConnected = microseconds(CURLINFO_NAMELOOKUP_TIME_T) > 0
    }
  }

  /// How far connecting has come.
  private var stage: FailedTransfer.Stage {
    if hasBegunSending { return .sent }
    if hasConnected {
      let kind = transfer.route.proxy?.kind
      let tunnels = kind == .http || kind == .https
      return tunnels && number(CURLINFO_HTTP_CONNECTCODE) == 0 ? .tunnelling : .securing
    }
    return microseconds(CURLINFO_NAMELOOKUP_TIME_T) > 0 ? .connecting : .resolving
  }

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    unsafe rasa_curl_get_long(easy, info, &value)
    return value
  }

  private func microseconds(_ info: CURLINFO) -> curl_off_t {
    var value: curl_off_t = 0
    unsafe rasa_curl_get_offset(easy, info, &value)
    return value
  }
}
