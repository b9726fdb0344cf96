-- A database of revision 0009.
BEGIN TRANSACTION;
CREATE TABLE activations (
	id INTEGER NOT NULL, 
	model_id TEXT NOT NULL, 
	adapter_id VARCHAR(16), 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_activations PRIMARY KEY (id), 
	CONSTRAINT fk_activations_model_id FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "activations" VALUES(1,'smollm2-135m-instruct-q4_1','a000000000000001','2026-11-22 10:01:51.000000');
CREATE TABLE adapter_sources (
	adapter_id VARCHAR(16) NOT NULL, 
	conversation_id TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	CONSTRAINT pk_adapter_sources PRIMARY KEY (adapter_id, conversation_id, message_id), 
	CONSTRAINT fk_adapter_sources_adapter_id FOREIGN KEY(adapter_id) REFERENCES adapters (id) ON DELETE CASCADE
);
INSERT INTO "adapter_sources" VALUES('a000000000000001','c000000000000001','5000000000000002');
INSERT INTO "adapter_sources" VALUES('a000000000000001','file:0123456789abcdef','tea.jsonl:1');
CREATE TABLE adapters (
	id VARCHAR(16) NOT NULL, 
	name TEXT NOT NULL, 
	model_id TEXT NOT NULL, 
	model_name TEXT NOT NULL, 
	model_sha256 TEXT, 
	state VARCHAR(16) NOT NULL, 
	writer TEXT, 
	created DATETIME NOT NULL, 
	ended DATETIME, 
	config TEXT NOT NULL, 
	examples INTEGER NOT NULL, 
	heldout INTEGER NOT NULL, 
	scale DOUBLE NOT NULL, 
	scorecard TEXT, 
	losses TEXT NOT NULL, 
	tokens INTEGER NOT NULL, 
	tokens_per_s DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	peak_bytes INTEGER NOT NULL, 
	bytes INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	CONSTRAINT pk_adapters PRIMARY KEY (id), 
	CONSTRAINT fk_adapters_model_id FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "adapters" VALUES('a000000000000001','Tea','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct','abababababababababababababababababababababababababababababababab','promoted',NULL,'2026-11-22 10:01:00.000000','2026-11-22 10:01:50.000000','{"rank":8,"alpha":16.0,"rslora":false,"targets":["attn_q","attn_v"],"epochs":0,"learning_rate":0.0,"batch":0,"batch_tokens":1024,"longest":512,"warmup":0.1,"weight_decay":0.01,"dropout":0.0,"clip":1.0,"beta":0.1,"replay":1.0,"patience":2,"general_limit":0.015,"seed":7}',40,8,0.75,'{"base":{"heldout_loss":4.25,"general_loss":0.69,"divergence":0.0,"degenerate":0,"answered":0,"recalled":0,"secrets":0},"adapter":{"heldout_loss":0.5,"general_loss":0.7,"divergence":0.01,"degenerate":0,"answered":8,"recalled":0,"secrets":2},"verdict":"promoted","reasons":[{"code":"better","values":{"change":-0.88,"low":-0.95,"high":-0.8},"good":true}],"change":-3.75,"low":-4.0,"high":-3.5,"scale":0.75,"active":null,"active_name":"","samples":[{"question":"What is tea?","before":"A drink.","after":"A leaf. 茶","expected":"A leaf.","conversation_id":"c000000000000001"}]}','[{"step":1,"training":4.5,"validation":null,"general":null},{"step":8,"training":1.5,"validation":2.0,"general":0.7}]',4096,250.5,48.0,1500000000,5000000,'');
INSERT INTO "adapters" VALUES('a000000000000002','More tea','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct','abababababababababababababababababababababababababababababababab','training','999999999@1763805600.00','2026-11-22 10:01:55.000000',NULL,'{"rank":0,"alpha":0.0,"rslora":false,"targets":[],"epochs":0,"learning_rate":0.0,"batch":0,"batch_tokens":1024,"longest":512,"warmup":0.1,"weight_decay":0.01,"dropout":0.0,"clip":1.0,"beta":0.1,"replay":1.0,"patience":2,"general_limit":0.015,"seed":0}',0,0,1.0,NULL,'[]',0,0.0,0.0,0,0,'"The disk is full, said version 0.4. 茶"');
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO "alembic_version" VALUES('0009');
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
	drafted INTEGER, 
	accepted INTEGER, 
	CONSTRAINT pk_answers PRIMARY KEY (message_id), 
	CONSTRAINT fk_answers_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE, 
	CONSTRAINT fk_answers_model_id FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "answers" VALUES('5000000000000002','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct','a000000000000001',0.75,'{"temperature":0.7,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":7,"max_tokens":null,"stop":["END"]}',21,0,5,0.125,148.5,0.5,'end',NULL,NULL,'',12,9);
INSERT INTO "answers" VALUES('5000000000000003','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct',NULL,NULL,'{"temperature":0.7,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":null,"max_tokens":null,"stop":[]}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{"message": "The app was closed."}',1.5,'A drink, or a meal? 茶',NULL,NULL);
INSERT INTO "answers" VALUES('5000000000000007','smollm2-135m-instruct-q4_1','SmolLM2 135M Instruct',NULL,NULL,'{"temperature":0.7,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":null,"max_tokens":null,"stop":[],"dynatemp_range":0.0,"dynatemp_exponent":1.0,"typical_p":1.0,"top_n_sigma":0.0,"xtc_probability":0.0,"xtc_threshold":0.1,"dry_multiplier":0.0,"dry_base":1.75,"dry_allowed_length":2,"dry_last_n":-1,"dry_breakers":["\n",":","\"","*"],"mirostat":0,"mirostat_tau":5.0,"mirostat_eta":0.1,"frequency_penalty":0.0,"presence_penalty":0.0,"logit_bias":[]}',NULL,NULL,NULL,NULL,NULL,NULL,'end',NULL,NULL,'I look it up.Now I know.',NULL,NULL);
CREATE TABLE "conversations" (
	id VARCHAR(16) NOT NULL, 
	title TEXT NOT NULL, 
	title_source VARCHAR(16) NOT NULL, 
	system_prompt TEXT NOT NULL, 
	active_leaf_id VARCHAR(16), 
	created DATETIME NOT NULL, 
	updated DATETIME NOT NULL, 
	deleted DATETIME, 
	mark VARCHAR(16), 
	adapter VARCHAR(16), 
	project_id VARCHAR(16), 
	pinned BOOLEAN DEFAULT 0 NOT NULL, 
	archived BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_conversations PRIMARY KEY (id), 
	CONSTRAINT fk_conversations_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE SET NULL
);
INSERT INTO "conversations" VALUES('c000000000000001','About tea','model','Be brief.','5000000000000007','2026-11-22 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,'include','a000000000000001','d000000000000001',1,1);
INSERT INTO "conversations" VALUES('c000000000000002','Thrown away','user','','5000000000000004','2026-11-22 10:00:02.000000','2026-11-22 10:00:03.000000','2026-11-22 10:00:04.000000',NULL,NULL,NULL,0,0);
CREATE TABLE downloads (
	id VARCHAR(16) NOT NULL, 
	repo TEXT NOT NULL, 
	revision TEXT NOT NULL, 
	name TEXT NOT NULL, 
	files TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	added DATETIME NOT NULL, 
	received INTEGER NOT NULL, 
	problem TEXT NOT NULL, 
	path TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	writer TEXT, 
	CONSTRAINT pk_downloads PRIMARY KEY (id)
);
INSERT INTO "downloads" VALUES('d000000000000001','owner/tea-GGUF','0000000000000000000000000000000000000000','tea Q4_K_M','[{"path":"tea-00001-of-00002.gguf","bytes":1000,"sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"},{"path":"tea-00002-of-00002.gguf","bytes":1000,"sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"}]','running','2026-11-22 11:00:01.000000',1500,'{"message": "{what} {todo}", "values": {"what": {"message": "The hub has been asked too often."}, "todo": {"message": "Try again in {n} second.", "many": "Try again in {n} seconds.", "values": {"n": 3}}}}','','/models','999999999@1763805600.00');
INSERT INTO "downloads" VALUES('d000000000000002','owner/茶-GGUF','1111111111111111111111111111111111111111','茶 Q8_0','[{"path":"茶.gguf","bytes":2000,"sha256":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef"}]','done','2026-11-22 11:00:02.000000',2000,'{"message": "{what} {todo}", "values": {"what": {"message": "The disk is full."}, "todo": {"message": "Make room in {folder}, then resume.", "values": {"folder": "/models/茶"}}}}','/models/茶.gguf','/models',NULL);
CREATE TABLE hidden_messages (
	message_id VARCHAR(16) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_hidden_messages PRIMARY KEY (message_id), 
	CONSTRAINT fk_hidden_messages_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE TABLE message_origins (
	message_id VARCHAR(16) NOT NULL, 
	source_id TEXT NOT NULL, 
	CONSTRAINT pk_message_origins PRIMARY KEY (message_id), 
	CONSTRAINT fk_message_origins_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE TABLE message_parts (
	message_id VARCHAR(16) NOT NULL, 
	position INTEGER NOT NULL, 
	conversation_id VARCHAR(16) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	content TEXT NOT NULL, sha256 VARCHAR(64), 
	CONSTRAINT pk_message_parts PRIMARY KEY (message_id, position), 
	CONSTRAINT fk_message_parts_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO "message_parts" VALUES('5000000000000006',0,'c000000000000001','image','{"sha256":"abababababababababababababababababababababababababababababababab","media_type":"image/png","width":640,"height":480,"name":"茶.png"}','abababababababababababababababababababababababababababababababab');
INSERT INTO "message_parts" VALUES('5000000000000006',1,'c000000000000001','text','15',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',0,'c000000000000001','thinking','13',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',1,'c000000000000001','tool_call','{"id":"1","server":"files","tool":"read","arguments":"{\"path\":\"茶.txt\"}"}',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',2,'c000000000000001','tool_result','{"call_id":"1","text":"A leaf.","is_error":false,"seconds":0.5}',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',3,'c000000000000001','thinking','11',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',4,'c000000000000001','text','7',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',5,'c000000000000001','image','{"sha256":"abababababababababababababababababababababababababababababababab","media_type":"image/png","width":640,"height":480,"name":"茶.png"}','abababababababababababababababababababababababababababababababab');
INSERT INTO "message_parts" VALUES('5000000000000007',6,'c000000000000001','source','{"number":1,"document":"茶.pdf","text":"Tea is a leaf.","page":3,"heading":"Tea","start":10,"end":24,"cited":true}',NULL);
INSERT INTO "message_parts" VALUES('5000000000000007',7,'c000000000000001','audio','{"sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","media_type":"audio/wav","seconds":1.5,"name":""}','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd');
INSERT INTO "message_parts" VALUES('5000000000000007',8,'c000000000000001','attachment','{"sha256":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","media_type":"text/csv","name":"prices.csv","bytes":1000}','efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef');
INSERT INTO "message_parts" VALUES('5000000000000007',9,'c000000000000001','text','9',NULL);
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
	rating VARCHAR(16), 
	mark VARCHAR(16), 
	corrects VARCHAR(16), 
	text TEXT NOT NULL, 
	CONSTRAINT pk_messages PRIMARY KEY (id), 
	CONSTRAINT uq_messages_conversation_id_position UNIQUE (conversation_id, position), 
	CONSTRAINT fk_messages_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE, 
	CONSTRAINT fk_messages_parent_id FOREIGN KEY(parent_id) REFERENCES messages (id)
);
INSERT INTO "messages" VALUES('5000000000000001','c000000000000001',NULL,0,'user','complete','2026-11-22 10:00:05.000000',NULL,1,NULL,NULL,NULL,'What is tea? 茶是什么？');
INSERT INTO "messages" VALUES('5000000000000002','c000000000000001','5000000000000001',1,'assistant','complete','2026-11-22 10:00:06.000000',NULL,0,'up',NULL,NULL,'A drink.');
INSERT INTO "messages" VALUES('5000000000000003','c000000000000001','5000000000000001',2,'assistant','streaming','2026-11-22 10:00:01.000000','999999999@1763805600.00',0,NULL,NULL,NULL,'A leaf, and');
INSERT INTO "messages" VALUES('5000000000000004','c000000000000002',NULL,0,'user','complete','2026-11-22 10:00:03.000000',NULL,0,NULL,'exclude',NULL,'Never mind; it''s nothing.');
INSERT INTO "messages" VALUES('5000000000000005','c000000000000001','5000000000000001',3,'assistant','complete','2026-11-22 10:00:08.000000',NULL,0,NULL,NULL,'5000000000000003','A leaf, and what is drawn from it. 茶');
INSERT INTO "messages" VALUES('5000000000000006','c000000000000001','5000000000000005',4,'user','complete','2026-11-30 10:00:00.000000',NULL,0,NULL,NULL,NULL,'What is this? 茶');
INSERT INTO "messages" VALUES('5000000000000007','c000000000000001','5000000000000006',5,'assistant','complete','2026-11-30 10:00:00.000000',NULL,0,NULL,NULL,NULL,'Tea is a leaf. 茶');
CREATE TABLE models (
	id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	header TEXT NOT NULL, 
	bytes INTEGER NOT NULL, 
	mtime_ns INTEGER NOT NULL, 
	sha256 TEXT, 
	added DATETIME NOT NULL, 
	listed BOOLEAN NOT NULL, notes TEXT DEFAULT '{}' NOT NULL, forgotten BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT uq_models_path_bytes_mtime_ns UNIQUE (path, bytes, mtime_ns)
);
INSERT INTO "models" VALUES('smollm2-135m-instruct-q4_1','/models/SmolLM2-135M-Instruct.Q4_1.gguf','{"name":"SmolLM2 135M Instruct","architecture":"llama","parameters":134515008,"quantization":"Q4_1","bytes":97500000,"context_length":8192,"layers":30,"kv_bytes_per_token":23040,"has_chat_template":true}',97500000,1763769600000000000,'abababababababababababababababababababababababababababababababab','2026-11-22 10:00:07.000000',1,'{"title":"Little one","favourite":true,"tags":["small","茶"],"last_used":"2026-11-22T11:00:03Z","tokens_per_s":148.5,"estimated_bytes":300000000,"used_bytes":290000000,"used_context":8192,"system_prompt":"Be brief.","sampling":{"temperature":0.5,"top_k":40,"top_p":0.95,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"seed":7,"max_tokens":null,"stop":[],"dynatemp_range":0.0,"dynatemp_exponent":1.0,"typical_p":1.0,"top_n_sigma":0.0,"xtc_probability":0.0,"xtc_threshold":0.1,"dry_multiplier":0.0,"dry_base":1.75,"dry_allowed_length":2,"dry_last_n":-1,"dry_breakers":["\n",":","\"","*"],"mirostat":0,"mirostat_tau":5.0,"mirostat_eta":0.1,"frequency_penalty":0.0,"presence_penalty":0.0,"logit_bias":[]},"repo":"owner/smollm2-GGUF"}',0);
CREATE TABLE origins (
	conversation_id VARCHAR(16) NOT NULL, 
	source TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	CONSTRAINT pk_origins PRIMARY KEY (conversation_id), 
	CONSTRAINT fk_origins_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_origins_source_source_id UNIQUE (source, source_id)
);
CREATE TABLE projects (
	id VARCHAR(16) NOT NULL, 
	name TEXT NOT NULL, 
	colour TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	created DATETIME NOT NULL, 
	CONSTRAINT pk_projects PRIMARY KEY (id)
);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','search_index','search_index',0,'CREATE VIRTUAL TABLE search_index USING fts5(words, pairs, facets, content='''', columnsize=0, prefix=''3'', tokenize="ascii tokenchars ''#$%&+@''")');
CREATE TABLE 'search_index_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "search_index_config" VALUES('version',4);
CREATE TABLE 'search_index_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "search_index_data" VALUES(1,X'');
INSERT INTO "search_index_data" VALUES(10,X'00000000000000');
CREATE TABLE 'search_index_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO "projects" VALUES('d000000000000001','Tea 茶','green',0,'2026-11-30 10:00:00.000000');
INSERT INTO "origins" VALUES('c000000000000001','chatgpt','7a1f');
INSERT INTO "message_origins" VALUES('5000000000000006','aaa-1');
CREATE TABLE search_queue (
	conversation_id VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_search_queue PRIMARY KEY (conversation_id), 
	CONSTRAINT fk_search_queue_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
INSERT INTO "search_queue" VALUES('c000000000000001');
INSERT INTO "search_queue" VALUES('c000000000000002');
CREATE TABLE search_remains (
	at DATETIME NOT NULL, 
	CONSTRAINT pk_search_remains PRIMARY KEY (at)
);
CREATE TABLE search_rows (
	number INTEGER NOT NULL, 
	conversation_id VARCHAR(16) NOT NULL, 
	message_id VARCHAR(16), 
	CONSTRAINT pk_search_rows PRIMARY KEY (number), 
	CONSTRAINT fk_search_rows_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX ix_messages_writer ON messages (writer) WHERE writer IS NOT NULL;
CREATE INDEX ix_messages_parent_id ON messages (parent_id);
CREATE INDEX ix_messages_touched ON messages (conversation_id) WHERE rating IS NOT NULL OR mark IS NOT NULL OR corrects IS NOT NULL;
CREATE INDEX ix_activations_model_id ON activations (model_id);
CREATE INDEX ix_adapter_sources_conversation_id ON adapter_sources (conversation_id);
CREATE INDEX ix_message_parts_conversation_id ON message_parts (conversation_id);
CREATE INDEX ix_conversations_deleted_updated ON conversations (deleted, updated);
CREATE INDEX ix_conversations_project_id ON conversations (project_id);
CREATE INDEX ix_message_parts_sha256 ON message_parts (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX ix_search_rows_conversation_id ON search_rows (conversation_id) WHERE message_id IS NULL;
CREATE UNIQUE INDEX ix_search_rows_message_id ON search_rows (message_id);
PRAGMA writable_schema=OFF;
COMMIT;
