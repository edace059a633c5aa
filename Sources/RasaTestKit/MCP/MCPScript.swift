package import RasaCore
import RasaDocuments

/// What a scripted MCP server does, as JSON:
///
/// ```text
/// era            "both" (what follows if nothing is said), "modern" or "legacy"
/// versions       those it speaks, instead of its era's
/// probe          how a legacy server takes `server/discover`: "error", "silent", "exit", "page", "garbage"
/// tools          entries of `tools/list`; those with `steps` do them when they are called, others return their arguments
/// tools_later    what replaces them at a step `change_tools`, and at a start when the file `later_if` exists
/// page_size      tools in each page of the list; `loop_pages` leads back to the first one, `endless_pages` to new ones
/// dies_in, silent_in, empty_in   a method that it ends at, never answers, or answers with an empty object
/// ttl_ms         how long the list is fresh
/// list_changed   false to promise no notifications
/// instructions   text for models
/// extra          members of the result of `server/discover` or `initialize`
/// start          what happens before the first message: `delay_ms`, `stdout`, `stderr`, `exit`
/// ignore_eof, ignore_term   goes on when its input ends, or when it is asked to end
/// log            a file that gets each message as a line
/// session        over HTTP: hands out sessions; `forget_after` forgets each after that many calls
/// token          over HTTP: what has to stand in `Authorization` behind `Bearer`
/// status         over HTTP: answers everything with this status, and with `location`
/// moved_to       over HTTP: redirects what comes to another path to this one
/// listen         over HTTP: offers the stream of notices of the older era, which can be continued
/// ```
///
/// A step is an object of one of these members:
///
/// ```text
/// progress, total, message    reports progress
/// delay_ms                    waits, while others are served
/// ask                         parameters of `elicitation/create`: asks as its era does, and waits for the answer; with
///                             `elsewhere: true` on the stream of notices
/// page                        a URL that has to be visited first, reported as revision 2025-11-25 does
/// state                       asks to be called again with this `requestState`
/// task                        goes on as a task with this `pollIntervalMs`
/// append                      a file that gets a line of tool, arguments and key of the use
/// result, text, error, echo   ends the call with this
/// answers                     ends it with what the user answered
/// raw, line                   writes these bytes, or this line
/// flood_mb, of                writes so many megabytes of "lines", "line", "progress" or "answers"
/// stderr                      writes to standard error
/// exit, hang, close           ends with this code, never answers, closes its output or its connection
/// freeze                      does nothing any more, and reads nothing
/// twice, other_id             answers twice, or to another number
/// change_tools                has other tools from now on, and says so
/// break                       over HTTP: breaks off the stream, which may be continued; with `half: true` in the middle
///                             of an event
/// notice                      a message for the stream of notices
/// cut_notices                 breaks that stream off
/// ```
package struct MCPScript: Sendable {
  let value: Value

  package init(_ value: Value = .emptyObject) { self.value = value }
  package init(json: [UInt8]) throws(Failure) { value = try JSON.parse(json, named: "script") }

  var isModern: Bool { value["era"].string != "legacy" }
  var isLegacy: Bool { value["era"].string != "modern" }

  var versions: [String] {
    if let versions = value["versions"].array { return versions.compactMap(\.string) }
    return (isModern ? ["2026-07-28"] : [])
      + (isLegacy ? ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] : [])
  }

  static let usualTools: [Value] = [
    [
      "name": "echo", "description": "Returns its arguments.",
      "inputSchema": ["type": "object", "properties": ["text": ["type": "string"]]],
    ],
    [
      "name": "add", "description": "Adds two numbers.",
      "inputSchema": [
        "type": "object", "properties": ["a": ["type": "integer"], "b": ["type": "integer"]],
        "required": ["a", "b"],
      ],
      "outputSchema": [
        "type": "object", "properties": ["sum": ["type": "integer"]], "required": ["sum"],
      ],
      "steps": [["sum": true]],
    ],
    [
      "name": "slow", "description": "Takes 100 ms.", "inputSchema": ["type": "object"],
      "steps": [["delay_ms": 100], ["text": "done"]],
    ],
  ]

  func tools(later: Bool) -> [Value] {
    let later = later ? value["tools_later"].array : nil
    return later ?? value["tools"].array ?? Self.usualTools
  }
}
