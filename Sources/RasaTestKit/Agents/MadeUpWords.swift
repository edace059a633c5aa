/// The vocabulary of made-up agents.
enum MadeUpWords {
  struct Domain: Sendable {
    var field: String
    var name: String
    var words: [String]
    init(_ field: String, _ name: String, _ words: String) {
      self.field = field
      self.name = name
      self.words = words.split(separator: " ").map(String.init)
    }
  }

  static let roles = [
    "reviewer", "architect", "engineer", "analyst", "writer", "tester", "planner", "auditor",
    "specialist", "advisor", "researcher", "optimizer",
  ]

  static let verbs = [
    "review", "design", "build", "analyse", "explain", "test", "plan", "check", "migrate",
    "document",
    "summarise", "compare", "estimate", "debug", "refactor",
  ]

  static let models: [(engine: String, name: String)] = [
    ("gemini", "gemini-2.0-flash-exp"), ("gemini", "gemini-1.5-pro"), ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku-4-5"), ("ollama", "llama3.2"),
  ]

  static let common = """
    the of and for with from into across before after when each every new existing large small teams
    systems changes risks costs plans results reports quality clear simple production legacy internal
    external customers users data services tools processes standards requirements decisions evidence
    performance reliability safety automated manual weekly daily critical important missing broken
    """.split { $0 == " " || $0 == "\n" }.map(String.init)

  static let domains = [
    Domain(
      "engineering", "security",
      "vulnerability threat authentication authorization encryption secrets injection audit penetration token certificate firewall hardening compliance exploit"
    ),
    Domain(
      "engineering", "database",
      "schema migration index query postgres transaction replication sharding backup normalization deadlock partition vacuum constraint cursor"
    ),
    Domain(
      "engineering", "frontend",
      "component accessibility layout responsive typescript rendering hydration styling animation browser bundle widget navigation form contrast"
    ),
    Domain(
      "engineering", "api",
      "endpoint rest graphql versioning pagination contract openapi idempotency webhook throttling gateway resource payload header status"
    ),
    Domain(
      "engineering", "kubernetes",
      "cluster deployment helm ingress autoscaling container namespace rollout operator manifest node pod probe volume quota"
    ),
    Domain(
      "engineering", "testing",
      "coverage fixture regression assertion mock integration flaky property fuzzing snapshot harness scenario boundary oracle mutation"
    ),
    Domain(
      "data", "analytics",
      "dashboard metric cohort funnel retention segmentation attribution warehouse lineage experiment significance forecast outlier trend visualization"
    ),
    Domain(
      "data", "pipeline",
      "ingestion streaming batch kafka airflow transformation deduplication watermark backfill orchestration parquet partitioning freshness lake checkpoint"
    ),
    Domain(
      "data", "learning",
      "training inference feature embedding classifier regression overfitting validation hyperparameter gradient dataset label drift evaluation tuning"
    ),
    Domain(
      "writing", "documentation",
      "tutorial reference guide glossary changelog readme example structure audience outline terminology style heading diagram onboarding"
    ),
    Domain(
      "writing", "editing",
      "grammar tone clarity paragraph headline manuscript proofreading citation narrative draft rewrite punctuation voice brevity flow"
    ),
    Domain(
      "writing", "translation",
      "localization dialect idiom bilingual subtitle register fluency source target glossary script locale plural encoding terminology"
    ),
    Domain(
      "operations", "incident",
      "outage postmortem escalation runbook severity mitigation timeline alert paging rollback communication recovery impact rota command"
    ),
    Domain(
      "operations", "observability",
      "tracing logging latency percentile alerting sampling telemetry span saturation budget collector baseline anomaly correlation profile"
    ),
    Domain(
      "operations", "release",
      "branch tag artifact pipeline canary approval packaging signing changelog freeze promotion hotfix semantic registry schedule"
    ),
    Domain(
      "business", "finance",
      "invoice forecast budget valuation margin cashflow ledger depreciation portfolio dividend hedge liquidity audit variance revenue"
    ),
    Domain(
      "business", "marketing",
      "campaign audience brand conversion positioning newsletter keyword funnel persona creative channel landing influencer engagement reach"
    ),
    Domain(
      "business", "legal",
      "contract clause liability indemnity privacy licence jurisdiction compliance dispute confidentiality termination trademark consent regulation arbitration"
    ),
    Domain(
      "business", "recruiting",
      "candidate interview onboarding compensation sourcing screening role vacancy assessment reference offer retention skills culture panel"
    ),
    Domain(
      "business", "product",
      "roadmap backlog prioritization discovery feature hypothesis milestone stakeholder feedback prototype positioning adoption churn pricing launch"
    ),
  ]
}
