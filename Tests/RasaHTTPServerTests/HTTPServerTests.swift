import RasaCore
import RasaTestKit
import Testing

@testable import RasaHTTPServer

@Suite struct HTTPServerTests {
  private static func echo(_ request: ServerRequest) -> ServerResponse {
    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
    return ServerResponse(
      "\(request.method) \(request.path) [\(query)] \(request.body.count):"
        + String(decoding: request.body.prefix(40), as: UTF8.self) + "\n")
  }

  private func server(
    _ change: (inout HTTPServer.Configuration) -> Void = { _ in },
    handler: @escaping HTTPServer.Handler = { HTTPServerTests.echo($0) }
  ) throws -> HTTPServer {
    var configuration = HTTPServer.Configuration()
    change(&configuration)
    return try HTTPServer.start(configuration, handler: handler)
  }

  private func answer(_ request: String, of server: HTTPServer) async throws -> String {
    let client = try RawClient(port: server.port)
    await client.send(request.replacing("HOST", with: "127.0.0.1:\(server.port)"))
    client.finishSending()
    return await client.receive()
  }

  // MARK: What is answered

  @Test(arguments: [
    (
      "GET /a/b%20c?x=1+2&y=%C3%AB&z HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
      "GET /a/b%20c [x=1 2,y=ë,z=] 0:"
    ),
    (
      "POST /p HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
      "POST /p [] 5:hello"
    ),
    (
      "POST /p HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: Chunked\r\nConnection: close\r\n\r\n"
        + "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n", "POST /p [] 5:hello"
    ),
    ("GET / HTTP/1.0\r\n\r\n", "GET / [] 0:"),
    ("DELETE /x HTTP/1.0\r\nHost: HOST\r\n\r\n", "DELETE /x [] 0:"),
    ("GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n", "GET / [] 0:"),
  ])
  func requestsAreAnswered(_ request: String, _ expected: String) async throws {
    let server = try server()
    let client = try RawClient(port: server.port)
    await client.send(request.replacing("HOST", with: "127.0.0.1:\(server.port)"))
    let answer = await client.receive()
    #expect(answer.contains(" 200 OK\r\n"), "\(answer)")
    #expect(answer.hasSuffix("\r\n\r\n\(expected)\n"), "\(answer)")
  }

  @Test func aRequestMayComeByteByByte() async throws {
    let server = try server()
    let client = try RawClient(port: server.port)
    let request =
      "POST /p?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    await client.send(Array(request.utf8), atOnce: 1)
    #expect(await client.receive().hasSuffix("POST /p [a=b] 5:hello\n"))
  }

  @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
    let server = try server()
    let client = try RawClient(port: server.port)
    let one = "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    let two = "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
    let three = "GET /3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    await client.send(one + two + three)
    let answer = await client.receive()
    let places = ["GET /1 [] 0:", "POST /2 [] 2:hi", "GET /3 [] 0:"].map {
      answer.range(of: $0)?.lowerBound
    }
    #expect(places.allSatisfy { $0 != nil } && places == places.sorted { $0! < $1! }, "\(answer)")
  }

  @Test func aLargeBodyGoesBothWays() async throws {
    let server = try server {
      $0.limits.body = 3_000_000
    } handler: { request in
      ServerResponse(body: .bytes(request.body))
    }
    let client = try RawClient(port: server.port)
    await client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2500000\r\nConnection: close\r\n\r\n"
    )
    await client.receive { $0.contains("100 Continue") }
    await client.send(Array(repeating: UInt8(ascii: "x"), count: 2_500_000))
    let answer = await client.receive()
    #expect(answer.utf8.suffix(2_500_000).allSatisfy { $0 == UInt8(ascii: "x") })
    #expect(answer.contains("Content-Length: 2500000\r\n"))
  }

  // MARK: What is refused

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n", 421),
    ("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 421),
    ("GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    ("GET / HTTP/1.0\r\nHost: evil.example.com\r\n\r\n", 421),
    (
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      400
    ),
    (
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      400
    ),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello", 400),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000001\r\n\r\n", 413),
    (
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501
    ),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\nhello", 501),
    (
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400
    ),
    (
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      400
    ),
    ("POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
    ("GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("GET /?a=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("GET /%c3 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("get / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
  ])
  func whatTwoServersCouldReadDifferentlyIsRefused(_ request: String, _ status: Int) async throws {
    let isCalled = Locked(false)
    let server = try server { _ in
    } handler: { request in
      isCalled.withLock { $0 = true }
      return HTTPServerTests.echo(request)
    }
    let client = try RawClient(port: server.port)
    await client.send(request)
    let answer = await client.receive()
    #expect(
      answer.hasPrefix("HTTP/1.1 \(status) ") || answer.hasPrefix("HTTP/1.0 \(status) "),
      "\(answer)")
    #expect(!isCalled.withLock { $0 })
  }

  @Test func endlessHeadersAreRefused() async throws {
    let server = try server()
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
    for number in 0..<20 {
      guard await client.send("X-\(number): \(String(repeating: "x", count: 8_000))\r\n") else {
        break
      }
    }
    #expect(await !client.receive().contains(" 200 "))
    let many = (0..<200).map { "X-\($0): y\r\n" }.joined()
    #expect(
      try await answer("GET / HTTP/1.1\r\nHost: localhost\r\n\(many)\r\n", of: server).contains(
        " 431 "))
  }

  @Test func anEndlessBodyIsRefused() async throws {
    let server = try server { $0.limits.body = 100_000 }
    let client = try RawClient(port: server.port)
    await client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
    var isOpen = true
    for _ in 0..<200 where isOpen { isOpen = await client.send(chunk) }
    #expect(!isOpen)
    // One that ends soon hears why.
    let second = try RawClient(port: server.port)
    await second.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk
        + "0\r\n\r\n")
    #expect(await second.receive().contains(" 413 "))
  }

  @Test(arguments: [
    "", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhe",
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  ])
  func aClientThatStopsIsCutOff(_ beginning: String) async throws {
    let server = try server {
      $0.limits.headTime = .milliseconds(150)
      $0.limits.bodyTime = .milliseconds(150)
      $0.limits.idleTime = .milliseconds(150)
    }
    let client = try RawClient(port: server.port)
    await client.send(beginning)
    // Returns when the server has closed the connection.
    let answer = await client.receive()
    #expect(answer.isEmpty == !beginning.hasSuffix("\r\n\r\n"))
  }

  // MARK: Streams

  @Test(arguments: ["HTTP/1.1", "HTTP/1.0"])
  func aStreamArrivesAsItIsWritten(_ version: String) async throws {
    let gate = Gate()
    let server = try server { _ in
    } handler: { _ in
      ServerResponse(
        headers: [("Content-Type", "text/event-stream")],
        body: .stream { writer in
          try await writer.write("data: one\n\n")
          await gate.wait()
          try await writer.write("data: two\n\n")
        })
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / \(version)\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    let beginning = await client.receive { $0.contains("data: one") }
    #expect(!beginning.contains("two"))
    gate.open()
    let whole = await client.receive()
    #expect(whole.contains("data: two"))
    #expect(whole.contains("chunked") == (version == "HTTP/1.1"))
  }

  @Test func aWriterWaitsForASlowClient() async throws {
    let written = Locked(0)
    let server = try server { _ in
    } handler: { _ in
      ServerResponse(
        body: .stream { writer in
          for _ in 0..<200 {
            try await writer.write(Array(repeating: UInt8(ascii: "x"), count: 100_000))
            written.withLock { $0 += 100_000 }
          }
        })
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await client.receive { $0.utf8.count > 100_000 }
    // The sockets' buffers take some megabytes, and not twenty.
    #expect(written.withLock { $0 } < 19_000_000)
    #expect(await client.receive().utf8.count > 20_000_000)
  }

  @Test(arguments: [true, false])
  func aHandlerLearnsThatItsClientHasGone(_ isStreaming: Bool) async throws {
    let (begun, gone) = (Gate(), Gate())
    let server = try server { _ in
    } handler: { _ in
      guard isStreaming else {
        begun.open()
        await withTaskCancellationHandler {
          await Gate().waitUnlessCancelled()
        } onCancel: {
          gone.open()
        }
        return ServerResponse("late")
      }
      return ServerResponse(
        body: .stream { writer in
          try await writer.write("one")
          await withTaskCancellationHandler {
            await Gate().waitUnlessCancelled()
          } onCancel: {
            gone.open()
          }
          try await writer.write("two")
        })
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if isStreaming { await client.receive { $0.contains("one") } } else { await begun.wait() }
    client.close()
    await gone.wait()
    // The server is still there.
    #expect(try await answer("GET /x HTTP/1.1\r\nHost: evil\r\n\r\n", of: server).contains(" 421 "))
  }

  @Test func aBrokenStreamIsNotTakenForAWholeOne() async throws {
    let server = try server { _ in
    } handler: { _ in
      ServerResponse(
        body: .stream { writer in
          try await writer.write("half")
          throw Failure(.run, "broken")
        })
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let answer = await client.receive()
    #expect(answer.contains("half"))
    #expect(!answer.contains("0\r\n\r\n"))
  }

  // MARK: Stopping

  @Test func whatHasBeenAskedIsAnsweredBeforeTheServerStops() async throws {
    let (begun, gate) = (Gate(), Gate())
    let server = try server { _ in
    } handler: { _ in
      begun.open()
      await gate.wait()
      return ServerResponse("done")
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await begun.wait()
    async let stopped: Void = server.stop(grace: .seconds(20))
    gate.open()
    #expect(await client.receive().hasSuffix("done"))
    await stopped
    #expect(throws: Failure.self) { try RawClient(port: server.port) }
  }

  @Test func whatNeverEndsIsCutOff() async throws {
    let begun = Gate()
    let server = try server { _ in
    } handler: { _ in
      begun.open()
      await Gate().waitUnlessCancelled()
      return ServerResponse("never")
    }
    let client = try RawClient(port: server.port)
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await begun.wait()
    await server.stop(grace: .milliseconds(50))
    #expect(await client.receive().isEmpty)
  }

  @Test func aPortThatIsTakenIsAnError() throws {
    let server = try server()
    let failure = #expect(throws: Failure.self) { try self.server { $0.port = server.port } }
    #expect(failure?.message.contains("\(server.port)") == true)
  }

  @Test func manyClientsAtOnceAreAnswered() async throws {
    let server = try server()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          let client = try RawClient(port: server.port)
          await client.send(
            "GET /\(number) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
          return await client.receive().contains("GET /\(number) [")
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }
}

/// Opened once, and waited for by whoever wants to.
final class Gate: Sendable {
  private let state = Locked<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>(
    (false, []))

  func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiters.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func waitUnlessCancelled() async {
    await withTaskCancellationHandler {
      await wait()
    } onCancel: {
      open()
    }
  }
}

extension String {
  fileprivate func range(of part: String) -> Range<Index>? { firstRange(of: part) }
}
