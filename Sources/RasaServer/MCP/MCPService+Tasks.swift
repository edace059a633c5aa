import RasaCore
import RasaDocuments
import RasaKit

/// The extension for tasks: a run that takes long is a handle, which is asked for its answer again and again.
///
/// A handle outlives the process: its run is in the journal, and is taken up again when somebody asks for it.
extension MCPService {
  private static let pollInterval: Int64 = 2_000

  private func purpose(_ caller: MCPCaller) -> [String] { ["task", caller.client.name] }

  private func run(_ params: Value, _ caller: MCPCaller) throws(JSONRPC.Problem) -> String {
    guard caller.takesTasks else {
      throw JSONRPC.Problem(
        code: JSONRPC.Problem.missingCapability, message: "Missing required client capability",
        data: [
          "requiredCapabilities": ["extensions": .object([MCPCaller.tasks: .emptyObject])]
        ])
    }
    guard let task = params["taskId"].string else { throw .params("`taskId` is missing") }
    guard let run = try seal().open(task, for: purpose(caller)) else {
      throw .params("there is no task \(quoted(task))")
    }
    return run
  }

  func task(_ params: Value, _ caller: MCPCaller) async throws -> Value {
    let run = try run(params, caller)
    do {
      return complete(try await state(ofTask: run, caller), caller)
    } catch let error as RasaError {
      throw JSONRPC.Problem.params(error.description)
    }
  }

  /// How the task of a run stands. A run that nobody carries out, and that waits for nothing, is taken up.
  func state(ofTask run: String, _ caller: MCPCaller) async throws -> ValueObject {
    let summary = try await rasa.run(withID: run)
    var task: ValueObject = [
      "taskId": .string(try seal().close(run, for: purpose(caller))), "status": "working",
      "createdAt": .string(Timestamp(milliseconds: summary.startedAt).utcText),
      "lastUpdatedAt": .string(Timestamp(milliseconds: summary.changedAt).utcText),
      "ttlMs": .null, "pollIntervalMs": .int(Self.pollInterval),
    ]
    func say(_ message: String) {
      if !message.isEmpty { task["statusMessage"] = .string(message) }
    }
    if let live = live[run] {
      say(live.message)
      return task
    }
    switch summary.status {
    case .done, .failed:
      task["status"] = "completed"
      task["result"] = try await ended(run, caller)
    case .cancelled: task["status"] = "cancelled"
    case .running: say("another process carries out run \(run)")
    case .parked:
      let open = try await rasa.approvals(ofRun: run, limit: 100).map(\.approval)
      if caller.mayBeAsked {
        task["status"] = "input_required"
        task["inputRequests"] = Self.questions(open, caller)
      } else {
        say(RunAnswer.waitingText(run, open))
      }
    default:
      do {
        let ready = try await rasa.ready(toResume: run)
        let live = try begin(ready, nil)
        // It is on the disk already.
        live.noteJournaled()
        say("run \(run) goes on")
      } catch let error as RasaError {
        task["status"] = "completed"
        task["result"] = failed(error, caller, run: run)
      }
    }
    return task
  }

  func update(_ params: Value, _ caller: MCPCaller) async throws -> Value {
    let run = try run(params, caller)
    do {
      let given = try await answer(params["inputResponses"], of: run, caller)
      if let problem = given.problems.first {
        throw JSONRPC.Problem.params("the answer to \(problem.key) does not fit: \(problem.value)")
      }
      // The run goes on with the next question about the task, also where this process ends before.
      if given.count > 0 { _ = try await state(ofTask: run, caller) }
    } catch let error as RasaError {
      throw JSONRPC.Problem.params(error.description)
    }
    return complete([:], caller)
  }

  func cancel(_ params: Value, _ caller: MCPCaller) async throws -> Value {
    let run = try run(params, caller)
    do throws(RasaError) {
      _ = try await rasa.cancel(run)
    } catch {
      throw JSONRPC.Problem.params(error.description)
    }
    return complete([:], caller)
  }
}
