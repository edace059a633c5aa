import CCurl
import RasaCore
import RasaSystem

/// Whose certificates are trusted: a file of CAs and a folder of them, and who named each.
package struct CertificateStore: Sendable, Hashable {
  package typealias Choice = NetworkSettings.Choice

  package var file: Choice?
  package var folder: Choice?
  /// Neither was named, so both are the system's.
  package var isOfSystem: Bool

  static let system = "the system's"
  private static let largest = 64 << 20

  /// Where systems keep their file of CAs. libcurl knows the place of the system that it was built
  /// on, which need not be this one.
  private static let usualFiles = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem", "/usr/local/share/certs/ca-root-nss.crt",
  ]

  /// What the settings name, checked, so that a mistake is told as such and not as a certificate
  /// that nobody knows. Each takes the place of the system's own of its kind.
  package init(_ settings: NetworkSettings) throws(HTTPError) {
    try self.init(
      settings, builtIn: unsafe rasa_curl_ca_file().map { unsafe String(cString: $0) },
      folder: unsafe rasa_curl_ca_folder().map { unsafe String(cString: $0) })
  }

  init(
    _ settings: NetworkSettings, builtIn: String?, folder builtInFolder: String?
  ) throws(HTTPError) {
    isOfSystem = settings.caFile == nil && settings.caFolder == nil
    if let chosen = settings.caFile {
      try Self.check(chosen)
      file = chosen
    } else {
      let places = (builtIn.map { [$0] } ?? []) + Self.usualFiles
      file = places.first { FileSystem.kind(of: $0) == .file }
        .map { Choice($0, from: Self.system) }
    }
    if let chosen = settings.caFolder {
      let places = chosen.value.split(separator: ":").map(String.init)
      guard places.contains(where: { FileSystem.kind(of: $0) == .folder }) else {
        throw Self.unusable(chosen, "is no folder", ask: "the folder of your CAs")
      }
      folder = chosen
    } else if !isOfSystem || file == nil, let place = builtInFolder ?? Self.usualFolder,
      FileSystem.kind(of: place) == .folder
    {
      // Beside the system's file its folder says the same again, and libcurl keeps a parsed file for
      // the next connection only where there is no folder.
      folder = Choice(place, from: Self.system)
    } else {
      folder = nil
    }
  }

  private static let usualFolder: String? = "/etc/ssl/certs"

  private static func check(_ chosen: Choice) throws(HTTPError) {
    let ask = "the file of your CA, in PEM"
    let bytes: [UInt8]
    guard FileSystem.exists(chosen.value) else {
      throw unusable(chosen, "is not there", ask: ask)
    }
    do throws(Failure) {
      bytes = try FileSystem.read(chosen.value, limit: largest)
    } catch {
      let reason =
        error.message.lastRange(ofBytes: ": ")
        .map { " (\(error.message[$0.upperBound...]))" } ?? " (\(error.message))"
      throw unusable(chosen, "cannot be read\(reason)", ask: ask)
    }
    if bytes.allSatisfy(isSpace) { throw unusable(chosen, "is empty", ask: ask) }
    guard holdsCertificate(bytes) else {
      // A certificate in DER begins with a long sequence.
      let isDER = bytes.count > 4 && bytes[0] == 0x30 && bytes[1] & 0x80 != 0
      throw unusable(
        chosen, isDER ? "is in DER and not in PEM" : "holds no certificate in PEM", ask: ask,
        instead: isDER
          ? "convert it: `openssl x509 -inform der -in \(shown(chosen.value)) -out ca.pem`" : nil)
    }
  }

  /// Stops at the first one, which stands near the beginning.
  static func holdsCertificate(_ bytes: [UInt8]) -> Bool {
    let marks = ["-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"].map {
      Array($0.utf8)
    }
    return bytes.indices.contains { start in
      bytes[start] == UInt8(ascii: "-") && marks.contains { bytes[start...].starts(with: $0) }
    }
  }

  /// libcurl could not use what looked right.
  var unreadable: HTTPError {
    let chosen = [file, folder].compactMap(\.self).first ?? Choice("", from: Self.system)
    return Self.unusable(
      chosen, "holds a certificate that cannot be read", ask: "the file of your CA, in PEM")
  }

  private static func unusable(
    _ chosen: Choice, _ problem: String, ask: String, instead: String? = nil
  ) -> HTTPError {
    let place = chosen.value.isEmpty ? "" : ": \(shown(chosen.value))"
    let isSystems = chosen.origin == system
    let whose =
      isSystems
      ? "the CA certificates of this system" : "\(chosen.origin) names CA certificates that"
    return HTTPError(
      .certificateStore, "\(whose) cannot be used\(place) \(problem)", isLasting: true,
      suggestion: instead
        ?? (isSystems
          ? "install the package `ca-certificates`, or set SSL_CERT_FILE"
          : "correct \(chosen.origin) so that it names \(ask), or unset it"))
  }

  private static func shown(_ path: String) -> String {
    String(
      String.UnicodeScalarView(path.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
  }

  /// What is in force, for people.
  package var description: String {
    let parts = [file, folder].compactMap(\.self).map { "\($0.value) (\($0.origin))" }
    return parts.isEmpty ? "none" : parts.joined(separator: " and ")
  }
}
