/// A possible capability of an agent, with the words that suggest it.
struct AgentSkill: Sendable {
  enum Field: String, Sendable { case engineering, data, writing, operations, business, design }

  /// Its name among the capabilities.
  var name: String
  var field: Field
  /// Words or phrases, any of which suggests it. So do the words of its name.
  var phrases: [String]
  /// An example query.
  var query: String

  init(_ name: String, _ field: Field, _ phrases: [String], _ query: String) {
    self.name = name
    self.field = field
    self.phrases = [name.split(separator: "-").joined(separator: " ")] + phrases
    self.query = query
  }
}

extension AgentSkill {
  static let all: [AgentSkill] = engineering + data + writing + operations + business + design

  private static let engineering: [AgentSkill] = [
    AgentSkill(
      "architecture", .engineering,
      ["architect", "system design", "technical design", "component boundaries"],
      "Design the architecture of a service that takes orders"),
    AgentSkill(
      "api-design", .engineering, ["rest api", "graphql", "openapi", "endpoint"],
      "Design a REST API for managing users"),
    AgentSkill(
      "code-review", .engineering,
      ["review code", "pull request", "code quality", "merge request"],
      "Review this pull request for bugs"),
    AgentSkill(
      "code-generation", .engineering,
      ["write code", "generate code", "implement", "implementation", "coding"],
      "Implement a function that parses dates"),
    AgentSkill(
      "refactoring", .engineering, ["refactor", "technical debt", "clean up code", "code smell"],
      "Refactor this module without changing what it does"),
    AgentSkill(
      "debugging", .engineering, ["debug", "root cause", "bug", "stack trace", "reproduce"],
      "Find out why this test fails now and then"),
    AgentSkill(
      "testing", .engineering,
      ["test", "unit test", "integration test", "test coverage", "quality assurance"],
      "Write unit tests for this class"),
    AgentSkill(
      "security-review", .engineering,
      ["security", "vulnerability", "threat model", "owasp", "penetration test"],
      "Check this login flow for security holes"),
    AgentSkill(
      "performance-tuning", .engineering,
      ["performance", "profiling", "latency", "optimize", "optimise", "bottleneck"],
      "Find out what makes this page slow"),
    AgentSkill(
      "frontend", .engineering, ["front end", "react", "css", "html", "user interface", "browser"],
      "Build a form that checks its fields"),
    AgentSkill(
      "backend", .engineering, ["back end", "server side", "microservice", "web service"],
      "Build a service that sends notifications"),
    AgentSkill(
      "mobile-development", .engineering, ["ios", "android", "swiftui", "kotlin", "mobile app"],
      "Add a settings screen to the mobile app"),
    AgentSkill(
      "dependency-management", .engineering, ["dependency", "upgrade package", "package manager"],
      "Bring our dependencies up to date"),
    AgentSkill(
      "embedded-systems", .engineering, ["firmware", "microcontroller", "embedded"],
      "Read a sensor over I2C on this controller"),
  ]

  private static let data: [AgentSkill] = [
    AgentSkill(
      "database-design", .data, ["database", "schema", "sql", "query optimization"],
      "Design the tables for a booking system"),
    AgentSkill(
      "data-analysis", .data, ["analyze data", "analyse data", "statistics", "insight", "dataset"],
      "Find out why sign-ups fell last month"),
    AgentSkill(
      "data-engineering", .data, ["etl", "data pipeline", "data warehouse", "ingestion"],
      "Build a pipeline from the shop to the warehouse"),
    AgentSkill(
      "machine-learning", .data, ["model training", "neural network", "classifier", "ml model"],
      "Train a model that predicts churn"),
    AgentSkill(
      "visualization", .data, ["visualisation", "chart", "dashboard"],
      "Make a dashboard of weekly sales"),
    AgentSkill(
      "prompt-engineering", .data, ["prompt design", "llm prompt", "system prompt"],
      "Improve this prompt so that answers are shorter"),
    AgentSkill(
      "research", .data, ["literature", "fact check", "investigate"],
      "Collect what is known about heat pumps in old houses"),
  ]

  private static let writing: [AgentSkill] = [
    AgentSkill(
      "documentation", .writing, ["readme", "technical writing", "user guide", "api reference"],
      "Write a guide for new contributors"),
    AgentSkill(
      "copywriting", .writing, ["headline", "landing page", "slogan", "advert"],
      "Write the text of a landing page"),
    AgentSkill(
      "editing", .writing, ["edit text", "proofread", "grammar", "style guide", "rewrite"],
      "Proofread this letter"),
    AgentSkill(
      "summarization", .writing, ["summarize", "summarise", "summary", "condense"],
      "Summarize these meeting notes"),
    AgentSkill(
      "translation", .writing, ["translate", "localization", "localisation"],
      "Translate this page into Spanish"),
    AgentSkill(
      "blogging", .writing, ["blog post", "newsletter", "storytelling"],
      "Write a blog post about our release"),
    AgentSkill(
      "presentation", .writing, ["slides", "slide deck", "speech"],
      "Make an outline for a talk of ten minutes"),
  ]

  private static let operations: [AgentSkill] = [
    AgentSkill(
      "deployment", .operations, ["deploy", "rollout", "continuous delivery"],
      "Plan the rollout of the new version"),
    AgentSkill(
      "ci-cd", .operations, ["continuous integration", "build pipeline", "github actions"],
      "Make our build pipeline faster"),
    AgentSkill(
      "infrastructure", .operations, ["terraform", "kubernetes", "docker", "provisioning"],
      "Describe our servers in Terraform"),
    AgentSkill(
      "monitoring", .operations, ["observability", "alerting", "metrics"],
      "Decide which alerts should wake somebody"),
    AgentSkill(
      "incident-response", .operations, ["incident", "outage", "postmortem", "on call"],
      "Write the postmortem of last night's outage"),
    AgentSkill(
      "automation", .operations, ["automate", "shell script", "scripting"],
      "Automate the weekly report"),
    AgentSkill(
      "migration", .operations, ["migrate", "legacy system", "data migration"],
      "Plan the move from MySQL to PostgreSQL"),
  ]

  private static let business: [AgentSkill] = [
    AgentSkill(
      "planning", .business, ["plan", "roadmap", "milestone", "project management", "breakdown"],
      "Break this project down into tasks"),
    AgentSkill(
      "requirements", .business,
      ["requirement", "user story", "acceptance criteria", "specification"],
      "Write user stories for a shopping basket"),
    AgentSkill(
      "product-strategy", .business, ["product manager", "prioritize", "prioritise", "market fit"],
      "Which of these features should come first?"),
    AgentSkill(
      "market-research", .business, ["competitor", "market analysis", "customer survey"],
      "Compare our prices with those of competitors"),
    AgentSkill(
      "financial-analysis", .business, ["finance", "budget", "forecast", "valuation"],
      "Forecast the cash flow of the next quarter"),
    AgentSkill(
      "legal-review", .business, ["contract", "legal", "clause", "terms of service"],
      "What is risky in this contract?"),
    AgentSkill(
      "compliance", .business, ["regulation", "gdpr", "audit"],
      "Are we allowed to keep these logs?"),
    AgentSkill(
      "customer-support", .business, ["support ticket", "complaint", "help desk"],
      "Answer this complaint about a late parcel"),
    AgentSkill(
      "marketing", .business, ["campaign", "seo", "social media", "audience"],
      "Plan a campaign for the new product"),
    AgentSkill(
      "sales", .business, ["sales pitch", "outreach"],
      "Write a first mail to a possible customer"),
    AgentSkill(
      "hiring", .business, ["recruiting", "job description", "candidate"],
      "Write a job description for a data engineer"),
  ]

  private static let design: [AgentSkill] = [
    AgentSkill(
      "user-experience", .design, ["ux", "usability", "user research", "user flow", "wireframe"],
      "Make signing up simpler"),
    AgentSkill(
      "accessibility", .design, ["wcag", "screen reader", "a11y"],
      "Check this page for people who use a screen reader"),
    AgentSkill(
      "visual-design", .design, ["layout", "typography", "color palette", "branding", "logo"],
      "Choose colors for our brand"),
  ]
}
