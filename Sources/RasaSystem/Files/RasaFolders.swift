import Glibc
package import RasaCore

/// The folders of a user's files: below `RASA_HOME` if that is set, otherwise where the XDG base
/// directory specification puts them.
package struct RasaFolders: Sendable, Hashable {
  /// `personas/`, `operators/`, `models/`: the user writes them.
  package var configuration: String
  /// The database: the program writes it and must not lose it.
  package var data: String
  /// History and caches: the program writes them and could lose them.
  package var state: String

  package init(configuration: String, data: String, state: String) {
    self.configuration = configuration
    self.data = data
    self.state = state
  }

  package init(_ environment: Environment) throws(Failure) {
    if let home = environment["RASA_HOME"] {
      self.init(configuration: home, data: home, state: home)
      return
    }
    // A relative path there would name another folder after each cd: the specification says to
    // ignore it.
    func base(_ variable: String, _ standard: String) throws(Failure) -> String {
      if let folder = environment[variable], folder.hasBytePrefix("/") { return "\(folder)/rasa" }
      guard let home = environment["HOME"] ?? homeFromAccount() else {
        throw Failure(
          .configuration, "there is no home folder to keep files in: HOME is not set",
          suggestion: "set HOME, or RASA_HOME to a folder for the files of rasa")
      }
      return "\(home)/\(standard)/rasa"
    }
    self.init(
      configuration: try base("XDG_CONFIG_HOME", ".config"),
      data: try base("XDG_DATA_HOME", ".local/share"),
      state: try base("XDG_STATE_HOME", ".local/state"))
  }
}

/// The home folder that the account names, for services that start without `HOME`.
private func homeFromAccount() -> String? {
  var record = unsafe passwd()
  var result: UnsafeMutablePointer<passwd>? = nil
  let size = 16_384
  var buffer = [CChar](repeating: 0, count: size)
  return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
    // The text lives in the buffer, so it is copied while that is there.
    guard let start = buffer.baseAddress,
      unsafe getpwuid_r(getuid(), &record, start, size, &result) == 0, let account = unsafe result
    else { return nil }
    return unsafe account.pointee.pw_dir.map { unsafe String(cString: $0) }
  }
}
