import RasaCore
import RasaPersona
import RasaSystem

/// Files that prompts insert.
extension AgentDiscovery {
  /// The file with that path, relative to the prompt's folder, the project or the workspaces, in
  /// this order. It must be beneath the folder in which it was found, whatever links and dots say.
  func insertion(
    _ path: String, into documents: AgentDocuments
  ) throws(Failure) -> SourceDocument {
    let prompt = documents.prompt?.path ?? documents.config?.path ?? ""
    if prompt.hasPrefix(AgentFile.shippedPrefix) { return try shippedInsertion(path, prompt) }
    let folder = FileSystem.parent(of: prompt)
    var places = [(root: folder, path: path)]
    for root in roots(holding: folder) {
      // `../shared/rules.md` leads out of the prompt's folder, but may stay in the project.
      places.append((root.path, AgentRoots.join(root.rest, path)))
    }
    places += self.places.promptFolders.map { (root: $0, path: path) }
    // Beside the prompt that a user's link leads to.
    if let (root, definition) = ownRoot(of: prompt),
      let elsewhere = root.folderElsewhere(of: definition)
    {
      places.append((root: elsewhere.folder, path: path))
    }
    var refusal: Failure?
    for place in places where FileSystem.exists(AgentRoots.join(place.root, place.path)) {
      do throws(Failure) {
        return SourceDocument(
          bytes: try FileSystem.read(place.path, beneath: place.root, limit: AgentFile.largest),
          path: AgentRoots.join(place.root, place.path))
      } catch {
        refusal = refusal ?? error
      }
    }
    throw refusal
      ?? Failure(
        .configuration, "there is no file `\(path)` to insert",
        suggestion: "use a path relative to \(folder) or to the project")
  }

  private func ownRoot(of file: String) -> (root: FileRoot, path: String)? {
    for root in places.roots({ _ in }) where root.files.links == .anywhere {
      if let path = root.path(of: file) { return (root.files, path) }
    }
    return nil
  }

  /// The project or workspace that contains a folder, and the relative path.
  private func roots(holding folder: String) -> [(path: String, rest: String)] {
    let absolute = FileSystem.absolute(folder)
    return places.promptFolders.compactMap { root in
      let base = root == "." ? FileSystem.absolute("") : FileSystem.absolute(root) + "/"
      guard absolute.hasBytePrefix(base) else { return nil }
      let rest = String(absolute.dropFirst(base.count))
      return rest.isEmpty ? nil : (root, rest)
    }
  }

  private func shippedInsertion(
    _ path: String, _ prompt: String
  ) throws(Failure) -> SourceDocument {
    let folder = FileSystem.parent(of: String(prompt.dropFirst(AgentFile.shippedPrefix.count)))
    for name in ["\(folder)/\(path)", path] {
      if let bytes = EmbeddedFiles.bytes(of: name) {
        return SourceDocument(bytes: bytes, path: AgentFile.shippedPrefix + name)
      }
    }
    throw Failure(.configuration, "no file named `\(path)` ships with rasa")
  }
}
