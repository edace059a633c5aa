import Testing

@testable import RasaProcess

@Suite("What a program may ask a sandbox's proxy for") struct RequestHeadTests {
  @Test(
    "a head that servers could read differently is refused",
    arguments: [
      // Lines that end where others see no end.
      "GET http://a.test/ HTTP/1.1\r\nX: a\rHost: evil.test\r\n\r\n",
      "GET http://a.test/ HTTP/1.1\rHost: evil.test\r\n\r\n",
      "GET http://a.test/ HTTP/1.1\r\nX: a\u{0}b\r\n\r\n",
      "GET http://a.test/ HTTP/1.1\r\nX: a\r\n Host: evil.test\r\n\r\n",
      // Names that are none.
      "GET http://a.test/ HTTP/1.1\r\nContent-Length : 5\r\n\r\n",
      "GET http://a.test/ HTTP/1.1\r\nTransfer\u{85}-Encoding: chunked\r\n\r\n",
      "GET http://a.test/ HTTP/1.1\r\n: x\r\n\r\n",
      // Bodies of two lengths, or of none that is known.
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      // Places with more than a host and a port.
      "GET http://a.test@evil.test/ HTTP/1.1\r\n\r\n",
      "GET http://evil.test\\a.test/ HTTP/1.1\r\n\r\n",
      "GET http://a.test%00.evil.test/ HTTP/1.1\r\n\r\n",
      "GET http://a.test:80:81/ HTTP/1.1\r\n\r\n", "GET http://a.test:/ HTTP/1.1\r\n\r\n",
      "GET http://:80/ HTTP/1.1\r\n\r\n", "GET http:///a.test/ HTTP/1.1\r\n\r\n",
      "GET ftp://a.test/ HTTP/1.1\r\n\r\n", "GET //a.test/ HTTP/1.1\r\n\r\n",
      "CONNECT a.test:443@evil.test:443 HTTP/1.1\r\n\r\n",
      "CONNECT http://a.test:443 HTTP/1.1\r\n\r\n",
      "CONNECT a.test:443/ HTTP/1.1\r\n\r\n", "CONNECT a.test:0443x HTTP/1.1\r\n\r\n",
      "CONNECT a.test:65979 HTTP/1.1\r\n\r\n", "CONNECT [::1%lo]:443 HTTP/1.1\r\n\r\n",
      "CONNECT a.test:443 evil.test HTTP/1.1\r\n\r\n", "G\u{1}T http://a.test/ HTTP/1.1\r\n\r\n",
      "TRACE http://a.test/ HTTP/1.1\r\n\r\n", "GET http://a.test/ HTTP/2.0\r\n\r\n",
    ])
  func ambiguous(_ text: String) {
    #expect(throws: RequestHead.Problem.malformed) { try RequestHead(Array(text.utf8)) }
  }

  @Test("a host hears its own name, and nothing that would make more of the connection")
  func forwarded() throws {
    let head = try RequestHead(
      Array(
        "GET HTTP://A.test:8080/x?y#z HTTP/1.0\r\nHost: evil.test\r\nUpgrade: websocket\r\nConnection: Upgrade, X-Secret\r\nProxy-Authorization: Basic x\r\nMax-Forwards: 0\r\nTE: trailers\r\nX: 1\r\n\r\nrest"
          .utf8))
    #expect(head.host == "a.test" && head.port == 8080 && !head.isTunnel)
    #expect(
      String(decoding: head.forwarded(through: nil), as: UTF8.self)
        == "GET /x?y HTTP/1.1\r\nHost: A.test:8080\r\nConnection: close\r\nX: 1\r\n\r\n")
    let proxy = UpstreamProxy(host: "proxy.test", port: 3128, name: "it", credentials: "dTpw")
    #expect(
      String(decoding: head.forwarded(through: proxy), as: UTF8.self)
        == "GET http://A.test:8080/x?y HTTP/1.1\r\nHost: A.test:8080\r\nConnection: close\r\nProxy-Authorization: Basic dTpw\r\nX: 1\r\n\r\n"
    )
    let tunnel = try RequestHead(
      Array("CONNECT [2001:DB8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    #expect(
      String(decoding: tunnel.tunnelRequest(to: proxy), as: UTF8.self)
        == "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    )
  }

  @Test(
    "what follows a body is not sent, wherever the pieces end",
    arguments: [
      ("", "GET /evil HTTP/1.1\r\n\r\n", ""),
      ("Content-Length: 5\r\n", "helloGET /evil", "hello"),
      (
        "Transfer-Encoding: Chunked\r\n", "5\r\nhello\r\n0\r\n\r\nGET /evil",
        "5\r\nhello\r\n0\r\n\r\n"
      ),
      (
        "Transfer-Encoding: chunked\r\n", "A\r\n0123456789\r\n00\r\nX: y\r\n\r\nGET",
        "A\r\n0123456789\r\n00\r\nX: y\r\n\r\n"
      ),
    ])
  func bodies(_ field: String, _ text: String, _ expected: String) throws {
    let head = try RequestHead(Array("POST http://a.test/ HTTP/1.1\r\n\(field)\r\n".utf8))
    let bytes = Array(text.utf8)
    for split in 0...bytes.count {
      var body = head.body
      let first = body.take(bytes[..<split])
      let second = body.take(bytes[split...])
      let third = body.take(Array("GET / HTTP/1.1\r\n\r\n".utf8))
      #expect(first == min(split, expected.utf8.count))
      #expect((first ?? 0) + (second ?? 0) == expected.utf8.count)
      #expect(third == 0)
    }
  }

  @Test(
    "chunks that servers could read differently end the connection",
    arguments: [
      "5;x=y\r\nhello\r\n", "5\nhello\r\n", "5 \r\nhello\r\n", "\r\n", "-5\r\n", "0x5\r\nhello\r\n",
      "5\r\nhelloGET", "5\r\nhello\n0\r\n\r\n", "fffffffffffff\r\n", "0\r\nX: y\nZ\r\n\r\n",
      "0\r\n\rG",
    ])
  func badChunks(_ text: String) throws {
    var body = try RequestHead(
      Array("POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    ).body
    let count = body.take(Array(text.utf8))
    #expect(count == nil)
  }
}
