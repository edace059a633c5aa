import CResources
import Glibc
import RasaCore
import RasaPersona
import RasaTestKit

/// The shipped definitions: the embedded files as sources of a library, and their source folders.
enum Shipped {
  /// Every embedded file with its name, in the order of the table.
  static let embedded: [(name: String, bytes: [UInt8])] = {
    var files: [(String, [UInt8])] = []
    var index = 0
    while let name = unsafe rasa_resource_at(index).pointee.name {
      let entry = unsafe rasa_resource_at(index).pointee
      let bytes = unsafe [UInt8](UnsafeBufferPointer(start: entry.bytes, count: entry.size))
      files.append((unsafe String(cString: name), bytes))
      index += 1
    }
    return files
  }()

  static let library = Library(
    personas: [source(folder: "personas")], operators: [source(folder: "operators")])

  static func source(folder: String) -> MemorySource {
    var files: [String: [UInt8]] = [:]
    for (name, bytes) in embedded where name.hasPrefix(folder + "/") {
      files[String(name.dropFirst(folder.count + 1).dropLast(".yaml".count))] = bytes
    }
    return MemorySource(label: "shipped", folder: folder, files: files)
  }

  static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  /// The paths of the files below a folder of the repository, except documentation; empty if the
  /// folder does not exist.
  static func list(_ folder: String) -> [String] {
    guard let directory = unsafe opendir(Repository.path(folder)) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard !name.hasPrefix("."), name != "README.md" else { continue }
      let inside = list("\(folder)/\(name)")
      names += inside.isEmpty ? [name] : inside.map { "\(name)/\($0)" }
    }
    return names.sorted()
  }
}

/// Definitions in memory that record which ones were read.
struct MemorySource: DefinitionSource {
  var label = "memory"
  var folder = "personas"
  var files: [String: [UInt8]] = [:]
  var siblings: [String: [UInt8]] = [:]
  let reads = Locked<[String]>([])

  func list() throws(Failure) -> [String] { files.keys.sorted() }

  func read(_ name: String) throws(Failure) -> SourceDocument? {
    reads.withLock { $0.append(name) }
    return files[name].map { SourceDocument(bytes: $0, path: "\(folder)/\(name).yaml") }
  }

  func readSibling(_ path: String, of _: String) throws(Failure) -> SourceDocument {
    guard let bytes = siblings[path] else {
      throw Failure(.configuration, "there is no file \(path)", suggestion: "create it")
    }
    return SourceDocument(bytes: bytes, path: "\(folder)/\(path)")
  }
}
