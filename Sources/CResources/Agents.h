// The agents that ship, for CResources.c: the bytes, then the entries that name them. Sorted by name.

RASA_FILE(agents_business_business_planner_md) = {
#embed "../../agents/business/business-planner.md"
};
RASA_FILE(agents_business_business_planner_toml) = {
#embed "../../agents/business/business-planner.toml"
};
RASA_FILE(agents_business_competitor_analyst_md) = {
#embed "../../agents/business/competitor-analyst.md"
};
RASA_FILE(agents_business_contract_summarizer_md) = {
#embed "../../agents/business/contract-summarizer.md"
};
RASA_FILE(agents_business_financial_analyst_md) = {
#embed "../../agents/business/financial-analyst.md"
};
RASA_FILE(agents_business_market_researcher_md) = {
#embed "../../agents/business/market-researcher.md"
};
RASA_FILE(agents_business_pricing_strategist_md) = {
#embed "../../agents/business/pricing-strategist.md"
};
RASA_FILE(agents_business_product_manager_md) = {
#embed "../../agents/business/product-manager.md"
};
RASA_FILE(agents_business_risk_assessor_md) = {
#embed "../../agents/business/risk-assessor.md"
};
RASA_FILE(agents_business_sales_coach_md) = {
#embed "../../agents/business/sales-coach.md"
};
RASA_FILE(agents_data_dashboard_designer_md) = {
#embed "../../agents/data/dashboard-designer.md"
};
RASA_FILE(agents_data_data_cleaner_md) = {
#embed "../../agents/data/data-cleaner.md"
};
RASA_FILE(agents_data_data_modeler_md) = {
#embed "../../agents/data/data-modeler.md"
};
RASA_FILE(agents_data_data_pipeline_engineer_md) = {
#embed "../../agents/data/data-pipeline-engineer.md"
};
RASA_FILE(agents_data_experiment_designer_md) = {
#embed "../../agents/data/experiment-designer.md"
};
RASA_FILE(agents_data_forecaster_md) = {
#embed "../../agents/data/forecaster.md"
};
RASA_FILE(agents_data_ml_engineer_md) = {
#embed "../../agents/data/ml-engineer.md"
};
RASA_FILE(agents_data_sql_analyst_md) = {
#embed "../../agents/data/sql-analyst.md"
};
RASA_FILE(agents_data_sql_analyst_toml) = {
#embed "../../agents/data/sql-analyst.toml"
};
RASA_FILE(agents_data_statistician_md) = {
#embed "../../agents/data/statistician.md"
};
RASA_FILE(agents_engineering_accessibility_auditor_md) = {
#embed "../../agents/engineering/accessibility-auditor.md"
};
RASA_FILE(agents_engineering_api_designer_md) = {
#embed "../../agents/engineering/api-designer.md"
};
RASA_FILE(agents_engineering_architect_md) = {
#embed "../../agents/engineering/architect.md"
};
RASA_FILE(agents_engineering_code_explainer_md) = {
#embed "../../agents/engineering/code-explainer.md"
};
RASA_FILE(agents_engineering_code_reviewer_md) = {
#embed "../../agents/engineering/code-reviewer.md"
};
RASA_FILE(agents_engineering_database_designer_md) = {
#embed "../../agents/engineering/database-designer.md"
};
RASA_FILE(agents_engineering_database_designer_toml) = {
#embed "../../agents/engineering/database-designer.toml"
};
RASA_FILE(agents_engineering_debugger_md) = {
#embed "../../agents/engineering/debugger.md"
};
RASA_FILE(agents_engineering_devops_engineer_md) = {
#embed "../../agents/engineering/devops-engineer.md"
};
RASA_FILE(agents_engineering_documentation_writer_md) = {
#embed "../../agents/engineering/documentation-writer.md"
};
RASA_FILE(agents_engineering_frontend_developer_md) = {
#embed "../../agents/engineering/frontend-developer.md"
};
RASA_FILE(agents_engineering_incident_responder_md) = {
#embed "../../agents/engineering/incident-responder.md"
};
RASA_FILE(agents_engineering_migration_planner_md) = {
#embed "../../agents/engineering/migration-planner.md"
};
RASA_FILE(agents_engineering_performance_engineer_md) = {
#embed "../../agents/engineering/performance-engineer.md"
};
RASA_FILE(agents_engineering_refactorer_md) = {
#embed "../../agents/engineering/refactorer.md"
};
RASA_FILE(agents_engineering_security_reviewer_md) = {
#embed "../../agents/engineering/security-reviewer.md"
};
RASA_FILE(agents_engineering_test_writer_md) = {
#embed "../../agents/engineering/test-writer.md"
};
RASA_FILE(agents_operations_logistics_planner_md) = {
#embed "../../agents/operations/logistics-planner.md"
};
RASA_FILE(agents_operations_logistics_planner_toml) = {
#embed "../../agents/operations/logistics-planner.toml"
};
RASA_FILE(agents_operations_meeting_facilitator_md) = {
#embed "../../agents/operations/meeting-facilitator.md"
};
RASA_FILE(agents_operations_process_analyst_md) = {
#embed "../../agents/operations/process-analyst.md"
};
RASA_FILE(agents_operations_procurement_analyst_md) = {
#embed "../../agents/operations/procurement-analyst.md"
};
RASA_FILE(agents_operations_project_planner_md) = {
#embed "../../agents/operations/project-planner.md"
};
RASA_FILE(agents_operations_recruiter_md) = {
#embed "../../agents/operations/recruiter.md"
};
RASA_FILE(agents_operations_support_responder_md) = {
#embed "../../agents/operations/support-responder.md"
};
RASA_FILE(agents_quality_critical_reviewer_md) = {
#embed "../../agents/quality/critical-reviewer.md"
};
RASA_FILE(agents_quality_holistic_reviewer_md) = {
#embed "../../agents/quality/holistic-reviewer.md"
};
RASA_FILE(agents_writing_copy_editor_md) = {
#embed "../../agents/writing/copy-editor.md"
};
RASA_FILE(agents_writing_email_writer_md) = {
#embed "../../agents/writing/email-writer.md"
};
RASA_FILE(agents_writing_grant_writer_md) = {
#embed "../../agents/writing/grant-writer.md"
};
RASA_FILE(agents_writing_newsletter_writer_md) = {
#embed "../../agents/writing/newsletter-writer.md"
};
RASA_FILE(agents_writing_newsletter_writer_toml) = {
#embed "../../agents/writing/newsletter-writer.toml"
};
RASA_FILE(agents_writing_speech_writer_md) = {
#embed "../../agents/writing/speech-writer.md"
};
RASA_FILE(agents_writing_summarizer_md) = {
#embed "../../agents/writing/summarizer.md"
};
RASA_FILE(agents_writing_technical_writer_md) = {
#embed "../../agents/writing/technical-writer.md"
};
RASA_FILE(agents_writing_translator_md) = {
#embed "../../agents/writing/translator.md"
};
RASA_FILE(agents_writing_ux_writer_md) = {
#embed "../../agents/writing/ux-writer.md"
};

#define RASA_AGENT_ENTRIES \
  RASA_ENTRY("agents/business/business-planner.md", agents_business_business_planner_md), \
  RASA_ENTRY("agents/business/business-planner.toml", agents_business_business_planner_toml), \
  RASA_ENTRY("agents/business/competitor-analyst.md", agents_business_competitor_analyst_md), \
  RASA_ENTRY("agents/business/contract-summarizer.md", agents_business_contract_summarizer_md), \
  RASA_ENTRY("agents/business/financial-analyst.md", agents_business_financial_analyst_md), \
  RASA_ENTRY("agents/business/market-researcher.md", agents_business_market_researcher_md), \
  RASA_ENTRY("agents/business/pricing-strategist.md", agents_business_pricing_strategist_md), \
  RASA_ENTRY("agents/business/product-manager.md", agents_business_product_manager_md), \
  RASA_ENTRY("agents/business/risk-assessor.md", agents_business_risk_assessor_md), \
  RASA_ENTRY("agents/business/sales-coach.md", agents_business_sales_coach_md), \
  RASA_ENTRY("agents/data/dashboard-designer.md", agents_data_dashboard_designer_md), \
  RASA_ENTRY("agents/data/data-cleaner.md", agents_data_data_cleaner_md), \
  RASA_ENTRY("agents/data/data-modeler.md", agents_data_data_modeler_md), \
  RASA_ENTRY("agents/data/data-pipeline-engineer.md", agents_data_data_pipeline_engineer_md), \
  RASA_ENTRY("agents/data/experiment-designer.md", agents_data_experiment_designer_md), \
  RASA_ENTRY("agents/data/forecaster.md", agents_data_forecaster_md), \
  RASA_ENTRY("agents/data/ml-engineer.md", agents_data_ml_engineer_md), \
  RASA_ENTRY("agents/data/sql-analyst.md", agents_data_sql_analyst_md), \
  RASA_ENTRY("agents/data/sql-analyst.toml", agents_data_sql_analyst_toml), \
  RASA_ENTRY("agents/data/statistician.md", agents_data_statistician_md), \
  RASA_ENTRY("agents/engineering/accessibility-auditor.md", agents_engineering_accessibility_auditor_md), \
  RASA_ENTRY("agents/engineering/api-designer.md", agents_engineering_api_designer_md), \
  RASA_ENTRY("agents/engineering/architect.md", agents_engineering_architect_md), \
  RASA_ENTRY("agents/engineering/code-explainer.md", agents_engineering_code_explainer_md), \
  RASA_ENTRY("agents/engineering/code-reviewer.md", agents_engineering_code_reviewer_md), \
  RASA_ENTRY("agents/engineering/database-designer.md", agents_engineering_database_designer_md), \
  RASA_ENTRY("agents/engineering/database-designer.toml", agents_engineering_database_designer_toml), \
  RASA_ENTRY("agents/engineering/debugger.md", agents_engineering_debugger_md), \
  RASA_ENTRY("agents/engineering/devops-engineer.md", agents_engineering_devops_engineer_md), \
  RASA_ENTRY("agents/engineering/documentation-writer.md", agents_engineering_documentation_writer_md), \
  RASA_ENTRY("agents/engineering/frontend-developer.md", agents_engineering_frontend_developer_md), \
  RASA_ENTRY("agents/engineering/incident-responder.md", agents_engineering_incident_responder_md), \
  RASA_ENTRY("agents/engineering/migration-planner.md", agents_engineering_migration_planner_md), \
  RASA_ENTRY("agents/engineering/performance-engineer.md", agents_engineering_performance_engineer_md), \
  RASA_ENTRY("agents/engineering/refactorer.md", agents_engineering_refactorer_md), \
  RASA_ENTRY("agents/engineering/security-reviewer.md", agents_engineering_security_reviewer_md), \
  RASA_ENTRY("agents/engineering/test-writer.md", agents_engineering_test_writer_md), \
  RASA_ENTRY("agents/operations/logistics-planner.md", agents_operations_logistics_planner_md), \
  RASA_ENTRY("agents/operations/logistics-planner.toml", agents_operations_logistics_planner_toml), \
  RASA_ENTRY("agents/operations/meeting-facilitator.md", agents_operations_meeting_facilitator_md), \
  RASA_ENTRY("agents/operations/process-analyst.md", agents_operations_process_analyst_md), \
  RASA_ENTRY("agents/operations/procurement-analyst.md", agents_operations_procurement_analyst_md), \
  RASA_ENTRY("agents/operations/project-planner.md", agents_operations_project_planner_md), \
  RASA_ENTRY("agents/operations/recruiter.md", agents_operations_recruiter_md), \
  RASA_ENTRY("agents/operations/support-responder.md", agents_operations_support_responder_md), \
  RASA_ENTRY("agents/quality/critical-reviewer.md", agents_quality_critical_reviewer_md), \
  RASA_ENTRY("agents/quality/holistic-reviewer.md", agents_quality_holistic_reviewer_md), \
  RASA_ENTRY("agents/writing/copy-editor.md", agents_writing_copy_editor_md), \
  RASA_ENTRY("agents/writing/email-writer.md", agents_writing_email_writer_md), \
  RASA_ENTRY("agents/writing/grant-writer.md", agents_writing_grant_writer_md), \
  RASA_ENTRY("agents/writing/newsletter-writer.md", agents_writing_newsletter_writer_md), \
  RASA_ENTRY("agents/writing/newsletter-writer.toml", agents_writing_newsletter_writer_toml), \
  RASA_ENTRY("agents/writing/speech-writer.md", agents_writing_speech_writer_md), \
  RASA_ENTRY("agents/writing/summarizer.md", agents_writing_summarizer_md), \
  RASA_ENTRY("agents/writing/technical-writer.md", agents_writing_technical_writer_md), \
  RASA_ENTRY("agents/writing/translator.md", agents_writing_translator_md), \
  RASA_ENTRY("agents/writing/ux-writer.md", agents_writing_ux_writer_md),
