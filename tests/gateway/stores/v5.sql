-- A store of schema version 5, as that version of the gateway wrote it: kept for ever.
PRAGMA application_id = 1196900692;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE alarm (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    raised_us    INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    value        TEXT    NOT NULL
) STRICT;
INSERT INTO "alarm" VALUES(1,'intrusion','e1',1790000038020000,0,'{"acknowledged":true,"acknowledged_by":"eva","acknowledged_us":1790000238023745,"active":false,"changed_us":1790000238023745,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":87.8,"y_m":-0.8}');
INSERT INTO "alarm" VALUES(2,'intrusion','e2',1790000188020000,1,'{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000224020000,"confidence":0.89,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000],["n04",1,224000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":2,"judged_by":"","key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000188020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000206020000,"unsure":false,"walk":"","x_m":68.4,"y_m":-0.7}');
CREATE TABLE alarm_history (
    id       INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    change   TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    value    TEXT    NOT NULL
) STRICT;
INSERT INTO "alarm_history" VALUES(1,1,1790000038020000,'raised','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000038020000,"confidence":0.84,"detections":[["n01",1,20000],["n02",1,38000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west"],"speed_m_s":1.42,"suppressed":"","target":"person","told_us":1790000038020000,"unsure":false,"walk":"","x_m":15.8,"y_m":-2.7}');
INSERT INTO "alarm_history" VALUES(2,1,1790000056020000,'new_sector','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000056020000,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":43.2,"y_m":1.6}');
INSERT INTO "alarm_history" VALUES(3,1,1790000063020000,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000063020000,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000]],"direction_deg":90.2,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":53.0,"y_m":-0.8}');
INSERT INTO "alarm_history" VALUES(4,1,1790000074020000,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000074020000,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":68.4,"y_m":-0.7}');
INSERT INTO "alarm_history" VALUES(5,1,1790000170020000,'cleared','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":false,"changed_us":1790000170020000,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":87.8,"y_m":-0.8}');
INSERT INTO "alarm_history" VALUES(6,2,1790000188020000,'raised','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000188020000,"confidence":0.84,"detections":[["n01",1,170000],["n02",1,188000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":2,"judged_by":"","key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02"],"note":"","priority":1,"raised_us":1790000188020000,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west"],"speed_m_s":1.42,"suppressed":"","target":"person","told_us":1790000188020000,"unsure":false,"walk":"","x_m":15.8,"y_m":-2.7}');
INSERT INTO "alarm_history" VALUES(7,2,1790000206020000,'new_sector','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000206020000,"confidence":0.89,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":2,"judged_by":"","key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000188020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000206020000,"unsure":false,"walk":"","x_m":43.2,"y_m":1.6}');
INSERT INTO "alarm_history" VALUES(8,2,1790000213020000,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000213020000,"confidence":0.89,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000]],"direction_deg":90.2,"disposition":null,"escalated_to":"","escalation":0,"id":2,"judged_by":"","key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000188020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000206020000,"unsure":false,"walk":"","x_m":53.0,"y_m":-0.8}');
INSERT INTO "alarm_history" VALUES(9,2,1790000224020000,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000224020000,"confidence":0.89,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000],["n04",1,224000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":2,"judged_by":"","key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000188020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000206020000,"unsure":false,"walk":"","x_m":68.4,"y_m":-0.7}');
INSERT INTO "alarm_history" VALUES(10,1,1790000238023745,'acknowledged','eva','{"acknowledged":true,"acknowledged_by":"eva","acknowledged_us":1790000238023745,"active":false,"changed_us":1790000238023745,"confidence":0.89,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"judged_by":"","key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038020000,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"speed_m_s":1.38,"suppressed":"","target":"person","told_us":1790000056020000,"unsure":false,"walk":"","x_m":87.8,"y_m":-0.8}');
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at_us       INTEGER,
    actor       TEXT,
    action      TEXT,
    subject     TEXT,
    reason      TEXT,
    until_us    INTEGER,
    detail_json TEXT,
    salt        BLOB,
    digest      BLOB    NOT NULL,
    link        BLOB    NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,1790000038020000,'system','history.raised','alarm 1','',NULL,'{"history":1,"sha256":"c98e91313064128ae0b315035a10cf727370ce14264813147e517e8cc054d2f5"}',X'',X'4C5D8B2F831BA2621D764A5BC22E3425745DB9D8CFADC3EDD5E1C69EBBAD49AA',X'C861F2128E2E932CABC25F19875AD2FDB2EC13D1D863817A6F7D64797F2F9913');
INSERT INTO "audit" VALUES(2,1790000056020000,'system','history.new_sector','alarm 1','',NULL,'{"history":2,"sha256":"15faf5fdb7c9f32dbf27ee580bac7aed860711f4015d01e277f17d4d09258416"}',X'',X'54FF69A214AC94647BD2404A16F628902E449825B59A040CCD980E4DE2541359',X'46788735EBBE9678CA7C17007DD232D9FEADCEE6EC2B01D845FD6B91A93BD0A3');
INSERT INTO "audit" VALUES(3,1790000063020000,'system','history.updated','alarm 1','',NULL,'{"history":3,"sha256":"65db6322a3dea0fd8350921ff96bf37447d0dba63f685258f50ea3ee25dca068"}',X'',X'39934E9495332099C3113E00C52E6B9967E14A80925FAFAE3CA090DD2FD6F142',X'C9E6CB8EA9EFA8B92C8D5545FF202269C68D6AAD22A43BC4D719A282C52FBFB4');
INSERT INTO "audit" VALUES(4,1790000074020000,'system','history.updated','alarm 1','',NULL,'{"history":4,"sha256":"4f697ee0729fbd840a065eafe10244d55aa55a8fdb31564185865b2863828142"}',X'',X'DAF9F1C3E5171A982AED3E646A7CCC260471A294024528574D9F77865AD5EB90',X'A42494A925923B87173D04C7AF57D8CD64AD4AC25B123C13672D7DB37ED635F2');
INSERT INTO "audit" VALUES(5,1790000170020000,'system','history.cleared','alarm 1','',NULL,'{"history":5,"sha256":"562e4e14fea09f0ad3fec28e224a07c0794fe6a91de5dcf82afa0a367f5b6441"}',X'',X'49E61D090A3F4A7A236402707CBDE647E92A3F406730E7D605A97ACD4DBBC6DC',X'A2E79117F48956C007DAFF978E7CFE5A454ED1609EF2D91D7C58068C536B9D9D');
INSERT INTO "audit" VALUES(6,1790000188020000,'system','history.raised','alarm 2','',NULL,'{"history":6,"sha256":"692affe7798247addae4c7336b0e3d6976428cba9e07da0323101f5676641a66"}',X'',X'E1291AED5A6B83012D4CC9EDA776C73F27E794AE7671505588A5FF1E6C0E8949',X'C6E06B0C1CEA0EA3F64050CE7FB439346B20FAF2EDC6F1FE8ADAC2D33055B94B');
INSERT INTO "audit" VALUES(7,1790000206020000,'system','history.new_sector','alarm 2','',NULL,'{"history":7,"sha256":"01b226b62972bc820f852dd153f272888fa64c6763e557c26f1c2a14a0a022d2"}',X'',X'26928DA7C3A10689C9F4CA5DBABBC6A7A423F816E6DE8D72CE6AB1C50554C5E4',X'8EB842183BE791F404D6D3C166CF5234C01E0871EE6F5758BFC177EE05B064F7');
INSERT INTO "audit" VALUES(8,1790000213020000,'system','history.updated','alarm 2','',NULL,'{"history":8,"sha256":"479726fdb467c952fa79132d37a88b72424a1ea8f69b1d9ec5465a332e561067"}',X'',X'E975B4869C7A9D49557839B1DF62DD0C4CC04E58506388EEB6834486061B3B31',X'7720A0E4A3F0F89615886D58785AED4CB64023A874C0288F9F8273EE16419495');
INSERT INTO "audit" VALUES(9,1790000224020000,'system','history.updated','alarm 2','',NULL,'{"history":9,"sha256":"ea0f862b3b21d450b03d5faa1d940b5fe527d3abdffb5c43968216c9444e47dd"}',X'',X'F07A093DAD710627702C90A379BFE7FF00D2DA475C7A009689B7505600A6116A',X'41D6C6129C41C69DEE6379A922D214B7F2C9A4BCA2F7992FDD5E92C5457B2B59');
INSERT INTO "audit" VALUES(10,1790000238023745,'eva','history.acknowledged','alarm 1','',NULL,'{"history":10,"sha256":"d302ab1f4867617314057363689a3f473061d52e9c4c4c02ed015aee5715ed25"}',X'',X'BF9B345A8529DF39CFC28939B8785C14B809432440DBF70EEC12B97E08A57204',X'1D49946FE7E29D52E19CCD4D0283DBFFB54854119DCF0C354AFFF8D75315F2EE');
INSERT INTO "audit" VALUES(11,1790000238023745,'eva','alarm.acknowledge','alarm 1','',NULL,'{"act":"alarm.acknowledge","alarm_id":1,"by":"eva","disposition":null,"note":""}',X'',X'37E058DF43474599AEB62E9AA51DE897B5D35786D1B591E59CC3FF5F4543BF88',X'985EBA5CE591E15694154A63580C28698BC18605DD7EB700984B39F04E92E7AE');
INSERT INTO "audit" VALUES(12,1790000238023745,'eva','mask.set','sectors east nodes -','mowing',1790003838023745,'{"act":"mask.set","by":"eva","nodes":[],"reason":"mowing","sectors":["east"],"until_us":1790003838023745}',X'',X'71FA5C6C171327CFD62D32D023D73168E1ACE1FD73F2FDA78D0E93C32EE0ED22',X'980AD6277448607B7AE0B7F380DA8E8A346B4EAF9E8B63AB624F4344F79AB72B');
CREATE TABLE boot (
    node      TEXT    NOT NULL,
    boot      INTEGER NOT NULL,
    upto      INTEGER NOT NULL,
    missing   INTEGER NOT NULL,
    start_us  INTEGER,
    spread_us INTEGER,
    samples   INTEGER,
    at_us     INTEGER,
    UNIQUE (node, boot)
) STRICT;
INSERT INTO "boot" VALUES('n01',1,6,0,1790000000020000,5000,8,1790000184020000);
INSERT INTO "boot" VALUES('n02',1,6,0,1790000000020000,5000,8,1790000202020000);
INSERT INTO "boot" VALUES('n03',1,6,0,1790000000020000,5000,6,1790000220020000);
INSERT INTO "boot" VALUES('n04',1,6,0,1790000000020000,5000,6,1790000238020000);
CREATE TABLE checkpoint (
    number    INTEGER PRIMARY KEY,
    link      BLOB    NOT NULL,
    at_us     INTEGER NOT NULL,
    key_id    BLOB    NOT NULL,
    signature BLOB    NOT NULL
) STRICT;
CREATE TABLE detection (
    id             INTEGER PRIMARY KEY,
    node           TEXT    NOT NULL,
    boot           INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    onset_ms       INTEGER NOT NULL,
    phase          TEXT    NOT NULL,
    class          TEXT    NOT NULL,
    confidence_pct INTEGER NOT NULL,
    peak_um_s_x100 INTEGER NOT NULL,
    onset_us       INTEGER NOT NULL,
    report_us      INTEGER NOT NULL,
    uncertainty_us INTEGER NOT NULL,
    arrival_us     INTEGER NOT NULL,
    UNIQUE (node, boot, seq)
) STRICT;
INSERT INTO "detection" VALUES(1,'n01',1,1,20000,'onset','person',60,130,1790000020020000,1790000020020000,5000,1790000020020000);
INSERT INTO "detection" VALUES(2,'n01',1,2,20000,'update','person',60,300,1790000020020000,1790000027020000,5000,1790000027020000);
INSERT INTO "detection" VALUES(3,'n01',1,3,20000,'end','person',60,150,1790000020020000,1790000034020000,5000,1790000034020000);
INSERT INTO "detection" VALUES(4,'n02',1,1,38000,'onset','person',60,130,1790000038020000,1790000038020000,5000,1790000038020000);
INSERT INTO "detection" VALUES(5,'n02',1,2,38000,'update','person',60,300,1790000038020000,1790000045020000,5000,1790000045020000);
INSERT INTO "detection" VALUES(6,'n02',1,3,38000,'end','person',60,150,1790000038020000,1790000052020000,5000,1790000052020000);
INSERT INTO "detection" VALUES(7,'n03',1,1,56000,'onset','person',60,130,1790000056020000,1790000056020000,500000,1790000056020000);
INSERT INTO "detection" VALUES(8,'n03',1,2,56000,'update','person',60,300,1790000056020000,1790000063020000,5000,1790000063020000);
INSERT INTO "detection" VALUES(9,'n03',1,3,56000,'end','person',60,150,1790000056020000,1790000070020000,5000,1790000070020000);
INSERT INTO "detection" VALUES(10,'n04',1,1,74000,'onset','person',60,130,1790000074020000,1790000074020000,500000,1790000074020000);
INSERT INTO "detection" VALUES(11,'n04',1,2,74000,'update','person',60,300,1790000074020000,1790000081020000,5000,1790000081020000);
INSERT INTO "detection" VALUES(12,'n04',1,3,74000,'end','person',60,150,1790000074020000,1790000088020000,5000,1790000088020000);
INSERT INTO "detection" VALUES(13,'n01',1,4,170000,'onset','person',60,130,1790000170020000,1790000170020000,10880,1790000170020000);
INSERT INTO "detection" VALUES(14,'n01',1,5,170000,'update','person',60,300,1790000170020000,1790000177020000,5000,1790000177020000);
INSERT INTO "detection" VALUES(15,'n01',1,6,170000,'end','person',60,150,1790000170020000,1790000184020000,5000,1790000184020000);
INSERT INTO "detection" VALUES(16,'n02',1,4,188000,'onset','person',60,130,1790000188020000,1790000188020000,10880,1790000188020000);
INSERT INTO "detection" VALUES(17,'n02',1,5,188000,'update','person',60,300,1790000188020000,1790000195020000,5000,1790000195020000);
INSERT INTO "detection" VALUES(18,'n02',1,6,188000,'end','person',60,150,1790000188020000,1790000202020000,5000,1790000202020000);
INSERT INTO "detection" VALUES(19,'n03',1,4,206000,'onset','person',60,130,1790000206020000,1790000206020000,10880,1790000206020000);
INSERT INTO "detection" VALUES(20,'n03',1,5,206000,'update','person',60,300,1790000206020000,1790000213020000,5000,1790000213020000);
INSERT INTO "detection" VALUES(21,'n03',1,6,206000,'end','person',60,150,1790000206020000,1790000220020000,5000,1790000220020000);
INSERT INTO "detection" VALUES(22,'n04',1,4,224000,'onset','person',60,130,1790000224020000,1790000224020000,10880,1790000224020000);
INSERT INTO "detection" VALUES(23,'n04',1,5,224000,'update','person',60,300,1790000224020000,1790000231020000,5000,1790000231020000);
INSERT INTO "detection" VALUES(24,'n04',1,6,224000,'end','person',60,150,1790000224020000,1790000238020000,5000,1790000238020000);
CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL
) STRICT;
INSERT INTO "journal" VALUES(1,0,1790000000020000,'start','{"closed_alarms":[],"last_alarm_id":0,"last_history_id":0,"messages":0,"open_alarms":[],"orders":"acd97923be0e364c17cae3e639ff789aff40ac487813593f28196fc114d8205c","standing":{"escalation":[],"rules":{"activities_most":128,"alarm_at":0.4,"blast":-2.21,"digging":-3.11,"dug":2.61,"ended_us":8000000,"far":-7.21,"late_most_us":13000000,"lone":0.5,"lone_confidence":0.6,"longest_us":1800000000,"node":1.78,"noisy":0,"one_cause_cost":4.0,"one_cause_reach_m":80.0,"open_most":64,"others":0,"pair":0,"pair_confidence":0.3,"pir":1,"pir_confidence":0.6,"placed_m":25.0,"prior":0.95,"reach_m":60.0,"silence_us":20000000,"sounds_most":16,"stale_us":45000000,"strikes_most":40,"sure":0.06,"sure_confidence":0.75,"sure_reports":2,"swaying":-1.29,"vehicle_reach_m":150.0,"way":0.42,"window_us":20000000},"schedules":{},"site":{"ground":{"absorption_per_m":0.03,"absorption_sigma":0.5,"exponent":0.5,"path_db":4.6,"walker_db":16.0,"walker_sigma_db":8.0,"wave_m_s":170.0,"wave_sigma":0.4},"name":"yard","nodes":[{"board":"","gain_db":0.0,"id":"n01","link":"wifi","pir_azimuth_deg":null,"pir_range_m":null,"sector":"west","x_m":0.0,"y_m":0.0},{"board":"","gain_db":0.0,"id":"n02","link":"wifi","pir_azimuth_deg":null,"pir_range_m":null,"sector":"west","x_m":25.0,"y_m":0.0},{"board":"","gain_db":0.0,"id":"n03","link":"wifi","pir_azimuth_deg":null,"pir_range_m":null,"sector":"east","x_m":50.0,"y_m":0.0},{"board":"","gain_db":0.0,"id":"n04","link":"wifi","pir_azimuth_deg":null,"pir_range_m":null,"sector":"east","x_m":75.0,"y_m":0.0}],"sectors":[["west",[]],["east",[]]]}},"state":{}}');
INSERT INTO "journal" VALUES(2,16,1790000170020000,'silence','');
INSERT INTO "journal" VALUES(3,28,1790000238023745,'Acknowledge','{"alarm_id":1,"by":"eva","disposition":null,"note":""}');
INSERT INTO "journal" VALUES(4,28,1790000238023745,'SetMask','{"by":"eva","reason":"mowing","until_us":1790003838023745,"sectors":["east"],"nodes":[]}');
CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    node       TEXT    NOT NULL,
    lane       INTEGER NOT NULL,
    boot       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    arrival_us INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    UNIQUE (node, lane, boot, seq)
) STRICT;
INSERT INTO "message" VALUES(1,'n01',1,1,1,1790000000020000,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(2,'n02',1,1,1,1790000000020000,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(3,'n01',1,1,2,1790000001020000,'health',X'A70003011903E802190F3C03383B040C05000600');
INSERT INTO "message" VALUES(4,'n02',1,1,2,1790000001020000,'health',X'A70003011903E802190F3C03383B040C05000600');
INSERT INTO "message" VALUES(5,'n01',0,1,1,1790000020020000,'detection',X'A8000201194E200201030104183C0518820618240700');
INSERT INTO "message" VALUES(6,'n01',0,1,2,1790000027020000,'detection',X'A9000201194E200202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(7,'n01',0,1,3,1790000034020000,'detection',X'A9000201194E200203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(8,'n02',0,1,1,1790000038020000,'detection',X'A80002011994700201030104183C0518820618240700');
INSERT INTO "message" VALUES(9,'n02',0,1,2,1790000045020000,'detection',X'A90002011994700202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(10,'n02',0,1,3,1790000052020000,'detection',X'A90002011994700203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(11,'n03',0,1,1,1790000056020000,'detection',X'A800020119DAC00201030104183C0518820618240700');
INSERT INTO "message" VALUES(12,'n03',0,1,2,1790000063020000,'detection',X'A900020119DAC00202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(13,'n03',0,1,3,1790000070020000,'detection',X'A900020119DAC00203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(14,'n04',0,1,1,1790000074020000,'detection',X'A80002011A000121100201030104183C0518820618240700');
INSERT INTO "message" VALUES(15,'n04',0,1,2,1790000081020000,'detection',X'A90002011A000121100202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(16,'n04',0,1,3,1790000088020000,'detection',X'A90002011A000121100203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(17,'n01',0,1,4,1790000170020000,'detection',X'A80002011A000298100201030104183C0518820618240700');
INSERT INTO "message" VALUES(18,'n01',0,1,5,1790000177020000,'detection',X'A90002011A000298100202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(19,'n01',0,1,6,1790000184020000,'detection',X'A90002011A000298100203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(20,'n02',0,1,4,1790000188020000,'detection',X'A80002011A0002DE600201030104183C0518820618240700');
INSERT INTO "message" VALUES(21,'n02',0,1,5,1790000195020000,'detection',X'A90002011A0002DE600202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(22,'n02',0,1,6,1790000202020000,'detection',X'A90002011A0002DE600203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(23,'n03',0,1,4,1790000206020000,'detection',X'A80002011A000324B00201030104183C0518820618240700');
INSERT INTO "message" VALUES(24,'n03',0,1,5,1790000213020000,'detection',X'A90002011A000324B00202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(25,'n03',0,1,6,1790000220020000,'detection',X'A90002011A000324B00203030104183C051896061824070008188C');
INSERT INTO "message" VALUES(26,'n04',0,1,4,1790000224020000,'detection',X'A80002011A00036B000201030104183C0518820618240700');
INSERT INTO "message" VALUES(27,'n04',0,1,5,1790000231020000,'detection',X'A90002011A00036B000202030104183C0519012C0618240700081846');
INSERT INTO "message" VALUES(28,'n04',0,1,6,1790000238020000,'detection',X'A90002011A00036B000203030104183C051896061824070008188C');
CREATE TABLE node (
    node          TEXT    NOT NULL UNIQUE,
    window_newest INTEGER NOT NULL,
    window_bits   BLOB    NOT NULL,
    down_reserved INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL
) STRICT;
INSERT INTO "node" VALUES('n01',65538,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003',1024,1790000184020000);
INSERT INTO "node" VALUES('n02',65538,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003',1024,1790000202020000);
INSERT INTO "node" VALUES('n03',0,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',1024,1790000220020000);
INSERT INTO "node" VALUES('n04',0,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',1024,1790000238020000);
CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    arrival_us INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    head       BLOB    NOT NULL
) STRICT;
CREATE TABLE refused (
    reason TEXT    NOT NULL,
    node   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    UNIQUE (reason, node)
) STRICT;
CREATE TABLE state (
    name  TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "state" VALUES('count:messages','28');
INSERT INTO "state" VALUES('count:detections','8');
INSERT INTO "state" VALUES('node:n01','{"applied":{},"backfilled":0,"battery_mv":3900,"board":"played","boot":1,"conditions":{},"duplicates":0,"floor_um_s":0.12,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000184020000,"last_seen_us":1790000184020000,"ledger_pending":0,"lost":false,"messages":8,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":-60,"samples_missed":0,"will_us":null}');
INSERT INTO "state" VALUES('node:n02','{"applied":{},"backfilled":0,"battery_mv":3900,"board":"played","boot":1,"conditions":{},"duplicates":0,"floor_um_s":0.12,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000202020000,"last_seen_us":1790000202020000,"ledger_pending":0,"lost":false,"messages":8,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":-60,"samples_missed":0,"will_us":null}');
INSERT INTO "state" VALUES('ear:n01','[1790000001020000,0.12,0.0804]');
INSERT INTO "state" VALUES('count:journal','4');
INSERT INTO "state" VALUES('ear:n02','[1790000001020000,0.12,0.0804]');
INSERT INTO "state" VALUES('last_event','2');
INSERT INTO "state" VALUES('count:alarms','2');
INSERT INTO "state" VALUES('count:history','10');
INSERT INTO "state" VALUES('node:n03','{"applied":{},"backfilled":0,"battery_mv":null,"board":"","boot":1,"conditions":{},"duplicates":0,"floor_um_s":null,"forged":false,"fw":"","gone":[],"last_detection_us":1790000220020000,"last_seen_us":1790000220020000,"ledger_pending":null,"lost":false,"messages":6,"records_dropped":0,"reset_cause":"","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('node:n04','{"applied":{},"backfilled":0,"battery_mv":null,"board":"","boot":1,"conditions":{},"duplicates":0,"floor_um_s":null,"forged":false,"fw":"","gone":[],"last_detection_us":1790000238020000,"last_seen_us":1790000238020000,"ledger_pending":null,"lost":false,"messages":6,"records_dropped":0,"reset_cause":"","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('event:e2','{"activities":[["n01",1,170000,"west",1,0.6,1.5,0,1790000170020000,1790000184020000,3,3,1.8,[[1790000170020000,1.3,0,1790000166020000],[1790000177020000,3.0,0,null],[1790000184020000,1.5,0,null]],[]],["n02",1,188000,"west",1,0.6,1.5,0,1790000188020000,1790000202020000,3,3,1.8,[[1790000188020000,1.3,0,1790000184020000],[1790000195020000,3.0,0,null],[1790000202020000,1.5,0,null]],[]],["n03",1,206000,"east",1,0.6,1.5,0,1790000206020000,1790000220020000,3,3,1.8,[[1790000206020000,1.3,0,1790000202020000],[1790000213020000,3.0,0,null],[1790000220020000,1.5,0,null]],[]],["n04",1,224000,"east",1,0.6,1.5,0,1790000224020000,1790000238020000,3,3,1.8,[[1790000224020000,1.3,0,1790000220020000],[1790000231020000,3.0,0,null],[1790000238020000,1.5,0,null]],[]]],"closed":false,"confidence":0.89,"confirmed":true,"error_m":2.9,"first_us":1790000170020000,"fix":[1790000238020000,87.81,-0.79,1.384,0.0,2.94,1.454],"id":"e2","last_us":1790000238020000,"late_us":0,"reasons":["nodes heard it within 20 s of each other","it passed the nodes as one does who moves among them"],"sectors":["west","east"],"target":1,"touched_us":1790000238020000,"track":[90.0,1.38,1790000238020000,2.94],"x_m":87.8,"y_m":-0.8}');
INSERT INTO "state" VALUES('orders','{"last_order":1,"masks":[{"from_us":1790000238023745,"id":1,"nodes":[],"owner":"eva","reason":"mowing","sectors":["east"],"until_us":1790003838023745}],"overrides":[],"walks":[]}');
CREATE INDEX detection_by_time ON detection (onset_us);
CREATE INDEX alarm_open ON alarm (open, id);
CREATE INDEX message_by_age ON message (kind, arrival_us);
CREATE INDEX history_by_alarm ON alarm_history (alarm_id);
CREATE INDEX alarm_by_time ON alarm (raised_us);
COMMIT;
