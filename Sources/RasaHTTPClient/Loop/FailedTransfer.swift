import RasaCore
import CCurl

/// A transfer that libcurl gave up, and the error that it is to whoever asked: which of name,
/// connection, proxy, TLS, certificate and stream it was, and by which way.
struct FailedTransfer {
  /// How far it had come.
  enum Stage { case resolving, connecting, tunnelling, securing, sent }

  var code: CURLcode
  /// libcurl's own sentence, which may quote the peer.
  var detail: String
  var url: String
  var route: ProxyRoute
  var store: CertificateStore?
  var hasHead: Bool
  var stage: Stage
  /// What OpenSSL found wrong with the certificate; 0 for nothing.
  var verification: Int
  var proxyVerification: Int
  /// The status that the proxy answered to CONNECT; 0 for none.
  var connectStatus: Int
  /// By which methods the proxy would take a password, as libcurl's bits.
  var proxyMethods: Int
  /// Files of CAs that are set for other programs.
  var foreign: [NetworkSettings.Choice]
}

extension FailedTransfer {
  var error: HTTPError {
    switch code {
    case CURLE_URL_MALFORMAT: HTTPError(.invalidURL, words)
    case CURLE_COULDNT_RESOLVE_HOST: withRoute(HTTPError(.resolve, words))
    case CURLE_COULDNT_RESOLVE_PROXY: proxyError("cannot be found: its name does not resolve")
    case CURLE_COULDNT_CONNECT: noConnection
    case CURLE_PROXY: proxyError("refused to connect to \(host): \(words)", isLasting: true)
    case CURLE_SSL_CACERT_BADFILE: store?.unreadable ?? HTTPError(.tls, words)
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR,
      CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS:
      certificateError
    case CURLE_SSL_CONNECT_ERROR where detail.hasBytes("certificate verify failed"):
      certificateError
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
      CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED,
      CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_CLIENTCERT:
      tlsError
    case CURLE_RECV_ERROR where connectStatus >= 300, CURLE_GOT_NOTHING where connectStatus >= 300:
      refusedByProxy
    case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR,
      CURLE_HTTP2_STREAM:
      isTunnelling
        ? proxyError("hung up without answering CONNECT \(host): is it a proxy?")
        : withRoute(HTTPError(.aborted, words + hintOfTLS))
    case CURLE_BAD_CONTENT_ENCODING:
      HTTPError(
        .protocolViolation, "the response is packed in a way that cannot be unpacked: \(words)",
        isLasting: true)
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
      isTunnelling
        ? proxyError("does not speak HTTP: is it a proxy?", isLasting: true)
        : withRoute(
          HTTPError(
            .protocolViolation, "what answered does not speak HTTP (\(words))\(hintOfTLS)",
            isLasting: true))
    case CURLE_HTTP2: HTTPError(.protocolViolation, words)
    default: withRoute(HTTPError(.other, words))
    }
  }

  /// The proxy has not answered CONNECT. One that is quick has been read before anything was waited for,
  /// so that the stage does not tell.
  private var isTunnelling: Bool {
    guard let kind = route.proxy?.kind, kind != .socks, stage != .sent else { return false }
    return connectStatus == 0 && url.utf8.starts(with: "https:".utf8)
  }

  /// Connecting took longer than it may, or than there was time left for.
  func notConnected(within limit: Duration) -> HTTPError {
    let span = " within \(spanText(limit))"
    var error: HTTPError =
      switch stage {
      case .resolving:
        HTTPError(
          .resolve, "the name \(route.proxy == nil ? host : "of the proxy") did not resolve\(span)")
      case .connecting: HTTPError(.connect, "nothing answered\(span)")
      case .tunnelling: HTTPError(.proxy, "the proxy did not answer CONNECT \(host)\(span)")
      case .securing, .sent: HTTPError(.tls, "the TLS handshake was not answered\(span)")
      }
    error.isWait = true
    return withRoute(error)
  }
}

// MARK: - Kinds

extension FailedTransfer {
  private var noConnection: HTTPError {
    guard route.proxy != nil else { return withRoute(HTTPError(.connect, words)) }
    return proxyError("cannot be reached: \(words)")
  }

  private func proxyError(_ what: String, isLasting: Bool = false) -> HTTPError {
    guard let proxy = route.proxy else { return HTTPError(.connect, words) }
    return HTTPError(
      .proxy, "\(proxy.name) \(what)", isLasting: isLasting,
      suggestion: "check \(proxy.origin), or name the host in NO_PROXY if it is reached without")
  }

  private var refusedByProxy: HTTPError {
    guard let proxy = route.proxy else { return HTTPError(.aborted, words) }
    switch connectStatus {
    case 407:
      var error = proxyError(
        proxy.hasPassword
          ? "refused its password (407)" : "asks for a password (407)", isLasting: true)
      let methods = methodNames
      let takesBasic = methods.isEmpty || methods.contains("Basic")
      error.suggestion =
        takesBasic
        ? "write it into \(proxy.origin): http://user:password@host:port, with % codes for the signs "
          + "that mean something in an address"
        : "it takes \(methods.joined(separator: " or ")) only, which rasa does not speak to a proxy; "
          + "set \(proxy.origin) to a proxy on this machine that does, such as cntlm or px"
      return error
    case 502, 503, 504:
      return proxyError("could not reach \(host) (\(connectStatus))")
    default:
      return proxyError("refused to connect to \(host) (\(connectStatus))", isLasting: true)
    }
  }

  /// libcurl's bits, in its order.
  private var methodNames: [String] {
    let names = ["Basic", "Digest", "Negotiate", "NTLM"]
    return names.indices.filter { proxyMethods & (1 << $0) != 0 }.map { names[$0] }
  }

  private var certificateError: HTTPError {
    let isProxys = proxyVerification != 0 && verification == 0
    let whose = isProxys ? route.proxy?.name ?? "the proxy" : host
    // X509_V_ERR_… of OpenSSL, which are part of its interface.
    let (what, suggestion): (String, String)
    switch isProxys ? proxyVerification : verification {
    case 10:
      what = "has expired"
      suggestion = "report it to its operator; if it is valid by now, check this machine's clock"
    case 9:
      what = "is not valid yet"
      suggestion = "check this machine's clock"
    case 18:
      what = "is self-signed"
      suggestion = trustMend
    case 19, 20, 21, 2:
      what = "is signed by a CA that is not trusted here"
      suggestion = trustMend
    case 0, 1, 62:
      what = "is for another host"
      suggestion = "use the name that the certificate is for, or report it to its operator"
    default:
      what = "is not trusted"
      suggestion = trustMend
    }
    return withRoute(
      HTTPError(
        .certificate, "the certificate of \(whose) \(what) (\(words))", isLasting: true,
        suggestion: suggestion))
  }

  /// A file of another program's may be just the one that is missing.
  private var trustMend: String {
    let used = store.map { " (now: \($0.description))" } ?? ""
    if let other = foreign.first(where: { $0.value != store?.file?.value }) {
      return "if you trust it, set SSL_CERT_FILE or `network: {ca_file: …}` to the file of its CA; "
        + "\(other.origin) names \(other.value), which is for other programs\(used)"
    }
    return
      "if you trust it, set SSL_CERT_FILE or `network: {ca_file: …}` to the file of its CA, in "
      + "PEM\(used)"
  }

  private var tlsError: HTTPError {
    if detail.hasBytes("wrong version number") || detail.hasBytes("packet length too long")
      || detail.hasBytes("http request") || detail.hasBytes("record layer failure")
    {
      return withRoute(
        HTTPError(
          .tls, "what answered does not speak TLS (\(words))", isLasting: true,
          suggestion: "write the address with http:// if its server does not speak TLS"))
    }
    // A connection that ends in the handshake may stand the next time.
    let isCut =
      detail.hasBytes("SSL_ERROR_SYSCALL") || detail.hasBytes("reset")
      || detail.hasBytes("unexpected eof") || detail.hasBytes("SSL_ERROR_ZERO_RETURN")
    return withRoute(
      HTTPError(.tls, "the TLS handshake failed (\(words))", isLasting: !isCut))
  }

  /// Said where an address without TLS is answered by nonsense or not at all.
  private var hintOfTLS: String {
    url.utf8.starts(with: "http:".utf8) && !hasHead && route.proxy == nil
      ? "; a server that speaks TLS wants https://" : ""
  }
}

// MARK: - Words

extension FailedTransfer {
  /// Who was asked, as the address has it, without a user's name and password.
  private var host: String {
    let rest = url.firstEnd(of: "://").map { url[$0...] } ?? url[...]
    let place = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return String(place.lastIndex(of: "@").map { place[place.index(after: $0)...] } ?? place)
  }

  private var words: String {
    let sentence = detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
    let printable = sentence.unicodeScalars.filter { $0.value >= 32 && $0.value < 127 }
    return String(String.UnicodeScalarView(printable).prefix(300))
  }

  /// Says which proxy was used, or why one that is set was not.
  private func withRoute(_ error: HTTPError) -> HTTPError {
    var error = error
    if let proxy = route.proxy {
      error.message += ", through \(proxy.name)"
    } else if !route.passedOver.isEmpty {
      error.message += "; \(route.passedOver.joined(separator: "; "))"
    }
    return error
  }

  private func spanText(_ span: Duration) -> String {
    let (seconds, attoseconds) = span.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    return milliseconds == 0 ? "\(seconds) s" : "\(seconds * 1_000 + milliseconds) ms"
  }
}
