-- A database of revision 0002, as ChatDesk 0.2.0 wrote it.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE answers (
	message_id VARCHAR(16) NOT NULL, 
	model_id TEXT, 
	model_name TEXT NOT NULL, 
	adapter_id TEXT, 
	adapter_scale DOUBLE, 
	sampling TEXT NOT NULL, 
	prompt_tokens INTEGER, 
	cached_tokens INTEGER, 
	completion_tokens INTEGER, 
	ttft_s DOUBLE, 
	tokens_per_s DOUBLE, 
	duration_s DOUBLE, 
	stop_reason TEXT, 
	error TEXT, 
	thinking_s DOUBLE, 
	thinking TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_answers PRIMARY KEY (message_id), 
	CONSTRAINT fk_answers_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE, 
	CONSTRAINT fk_answers_model_id FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "answers" VALUES('5000000000000002','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct',NULL,NULL,'{"temperature":0.7,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":7,"max_tokens":null,"stop":["END"]}',21,0,5,0.125,148.5,0.5,'end',NULL,NULL,'');
INSERT INTO "answers" VALUES('5000000000000003','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct',NULL,NULL,'{"temperature":0.7,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":null,"max_tokens":null,"stop":[]}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1.5,'A drink, or a meal? 茶');
CREATE TABLE conversations (
	id VARCHAR(16) NOT NULL, 
	title TEXT NOT NULL, 
	title_source VARCHAR(16) NOT NULL, 
	system_prompt TEXT NOT NULL, 
	active_leaf_id VARCHAR(16), 
	created DATETIME NOT NULL, 
	updated DATETIME NOT NULL, 
	deleted DATETIME, 
	CONSTRAINT pk_conversations PRIMARY KEY (id)
);
INSERT INTO "conversations" VALUES('c000000000000001','About tea','model','Be brief.','5000000000000003','2026-11-22 10:00:00.000000','2026-11-22 10:00:01.000000',NULL);
INSERT INTO "conversations" VALUES('c000000000000002','Thrown away','user','','5000000000000004','2026-11-22 10:00:02.000000','2026-11-22 10:00:03.000000','2026-11-22 10:00:04.000000');
CREATE TABLE messages (
	id VARCHAR(16) NOT NULL, 
	conversation_id VARCHAR(16) NOT NULL, 
	parent_id VARCHAR(16), 
	position INTEGER NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	created DATETIME NOT NULL, 
	writer TEXT, 
	pinned BOOLEAN DEFAULT 0 NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_messages PRIMARY KEY (id), 
	CONSTRAINT uq_messages_conversation_id_position UNIQUE (conversation_id, position), 
	CONSTRAINT fk_messages_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE, 
	CONSTRAINT fk_messages_parent_id FOREIGN KEY(parent_id) REFERENCES messages (id)
);
INSERT INTO "messages" VALUES('5000000000000001','c000000000000001',NULL,0,'user','complete','2026-11-22 10:00:05.000000',NULL,1,'What is tea? 茶是什么？');
INSERT INTO "messages" VALUES('5000000000000002','c000000000000001','5000000000000001',1,'assistant','complete','2026-11-22 10:00:06.000000',NULL,0,'A drink.');
INSERT INTO "messages" VALUES('5000000000000003','c000000000000001','5000000000000001',2,'assistant','streaming','2026-11-22 10:00:01.000000','999999999@1763805600.00',0,'A leaf, and');
INSERT INTO "messages" VALUES('5000000000000004','c000000000000002',NULL,0,'user','complete','2026-11-22 10:00:03.000000',NULL,0,'Never mind; it''s nothing.');
CREATE TABLE models (
	id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	header TEXT NOT NULL, 
	bytes INTEGER NOT NULL, 
	mtime_ns INTEGER NOT NULL, 
	sha256 TEXT, 
	added DATETIME NOT NULL, 
	listed BOOLEAN NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT uq_models_path_bytes_mtime_ns UNIQUE (path, bytes, mtime_ns)
);
INSERT INTO "models" VALUES('smollm2-135m-instruct-q4_1','/models/SmolLM2-135M-Instruct.Q4_1.gguf','{"name":"SmolLM2 135M Instruct","architecture":"llama","parameters":134515008,"quantization":"Q4_1","bytes":97500000,"context_length":8192,"layers":30,"kv_bytes_per_token":23040,"has_chat_template":true}',97500000,1763769600000000000,'abababababababababababababababababababababababababababababababab','2026-11-22 10:00:07.000000',1);
CREATE INDEX ix_conversations_deleted_updated ON conversations (deleted, updated);
CREATE INDEX ix_messages_parent_id ON messages (parent_id);
CREATE INDEX ix_messages_writer ON messages (writer) WHERE writer IS NOT NULL;
COMMIT;
