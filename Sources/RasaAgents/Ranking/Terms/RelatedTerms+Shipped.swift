import RasaDocuments

extension RelatedTerms {
  /// The shipped table.
  package static let shippedTable: String = {
    String(decoding: EmbeddedFiles.bytes(of: "models/terms.txt") ?? [], as: UTF8.self)
  }()
}
