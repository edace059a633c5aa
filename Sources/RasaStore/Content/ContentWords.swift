/// Names and words that journal lines repeat. A word's number is its index, so words are only ever appended: what has
/// been written must stay readable. The first 64 take one byte.
enum ContentWords {
  static let all: [String] = [
    "reservation", "provider", "model", "text", "usage", "input", "output", "cached_input",
    "reasoning", "reported", "cost", "finish", "stop", "request", "estimate", "idempotency",
    "step", "frame", "visit", "operator", "round", "review", "outcome", "wrote",
    "path", "value", "skipped", "answered", "decision", "by", "run", "persona",
    "digest", "session", "user", "preferences", "notes", "memories", "draft", "critique",
    "verdict", "reasons", "explanation", "alternatives", "context", "title", "subject", "payload",
    "spent", "schema", "approval", "expires_ms", "payload_digest", "reason", "message", "mend",
    "details", "kind", "waits_for", "from", "to", "mock", "name", "files",
    "price_known", "force", "allow_budget_exceed", "exceeds_budget", "partial", "fork", "sequence",
    "changes", "length", "filtered", "cutOff", "approve", "edit", "reject", "feedback",
    "interrupted",
    "respond", "compose", "recall", "remember", "critic_agent", "explain_operator",
    "alt_recommendation_operator", "preference_agent", "hitl", "stateless_frame", "session_frame",
    "short_term_frame", "long_term_frame", "context.memories", "constraints", "goal",
    "assumptions", "openai", "anthropic", "gemini", "ollama", "0",
    "attachments", "type", "bytes", "sha256", "width", "height", "pages", "data", "image/png",
    "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "attachment_tokens",
  ]

  static let numbers: [String: UInt8] = Dictionary(
    uniqueKeysWithValues: all.enumerated().map { ($1, UInt8($0)) })
}
