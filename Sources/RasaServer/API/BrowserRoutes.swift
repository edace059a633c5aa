import RasaCore
import RasaHTTPServer

/// How a browser comes in: with the code of the link that `rasa serve` prints.
enum BrowserRoutes {
  private static let cookie =
    "; HttpOnly; SameSite=Strict; Path=/"

  static let routes: [Route] = [
    Route(
      "POST", "/v1/browser", .nobody,
      RouteDescription(
        "Exchanges a code, which is valid once and for a minute, for a cookie. The page sends `csrf` as the header "
          + "`X-Rasa-CSRF` with whatever changes something.",
        body: ["type": "object", "properties": ["code": ["type": "string"]], "required": ["code"]])
    ) { call in
      let code = try MemberReader(try call.body()).text("code") ?? ""
      guard let entry = call.context.access.cookies.exchange(code) else {
        throw ServerProblem(
          401, "code", "the link has been used, or is older than a minute",
          suggestion: "ask for a new link")
      }
      call.context.audit.note(client: "browser", "browser.enter", "")
      return .json(
        ["csrf": .string(entry.csrf)],
        headers: [
          ("Set-Cookie", "\(CookieStore.name)=\(entry.cookie)\(cookie)"),
          ("Cache-Control", "no-store"),
        ])
    },
    Route(
      "DELETE", "/v1/browser", .token, RouteDescription("Ends what the cookie allows.")
    ) { call in
      if let session = CookieStore.session(in: call.request) {
        call.context.access.cookies.end(session)
      }
      return .json(
        ["ended": true],
        headers: [("Set-Cookie", "\(CookieStore.name)=; Max-Age=0\(cookie)")])
    },
  ]
}
