import CCurl

extension HTTPError {
  /// What libcurl's result means to a caller; `detail` is its own sentence, which may quote the
  /// peer.
  init(_ code: CURLcode, detail: String) {
    let meaning: Code =
      switch code {
      case CURLE_URL_MALFORMAT: .invalidURL
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
      case CURLE_COULDNT_CONNECT: .connect
      case CURLE_OPERATION_TIMEDOUT: .timeout
      case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
        CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_SHUTDOWN_FAILED,
        CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
        CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
        .tls
      case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR,
        CURLE_HTTP2_STREAM:
        .aborted
      case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2,
        CURLE_BAD_CONTENT_ENCODING:
        .protocolViolation
      default: .other
      }
    let sentence = detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
    let printable = sentence.unicodeScalars.filter { $0.value >= 32 && $0.value < 127 }
    self.init(meaning, String(String.UnicodeScalarView(printable).prefix(300)))
  }
}
