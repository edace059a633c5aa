import RasaCore
import RasaDocuments
import RasaKit
import RasaSystem

/// What one server leaves to the next: the runs that it was carrying out.
extension ServerContext {
  private var parkedFile: String { FileSystem.path("served.json", in: rasa.folders.data) }

  /// Parks the runs that are still going after that time, and keeps which they were.
  func park(within grace: Duration) async -> Int {
    var left = Set(await hub.stop(within: grace))
    for id in left {
      let run = try? await rasa.run(withID: id)
      if run?.status != .interrupted { left.remove(id) }
    }
    guard !left.isEmpty else { return 0 }
    let document: Value = ["parked": .array(left.sorted().map { .string($0) })]
    do throws(Failure) {
      try FileSystem.write(document.jsonBytes(.compact), to: parkedFile, mode: 0o600)
    } catch {
      settings.warn("the next start does not know which runs were parked: \(error.message)")
    }
    return left.count
  }

  /// Goes on with the runs of the server before, whether it stopped or was killed.
  func takeUp() async {
    var parked: [String] = []
    if let bytes = try? FileSystem.readIfPresent(parkedFile, limit: 10_000_000),
      let document = try? JSON.parse(bytes, named: parkedFile)
    {
      parked = (document["parked"].array ?? []).compactMap(\.string)
    }
    do {
      for run in try await rasa.servedRuns(parked: parked) {
        guard standing.phase != .stopping else { return }
        do { _ = try await resume(run) } catch {
          settings.warn("\(run.id) cannot go on: \(ServerProblem(error).message)")
        }
      }
      if !parked.isEmpty { try FileSystem.removeFile(parkedFile) }
    } catch {
      settings.warn("the runs of the server before are not known: \(ServerProblem(error).message)")
    }
  }
}
