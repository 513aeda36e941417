-- A store of schema version 4, as that version of the gateway wrote it: kept for ever.
PRAGMA application_id = 1196900692;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE alarm (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    raised_us    INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    value        TEXT    NOT NULL
) STRICT;
INSERT INTO "alarm" VALUES(1,'intrusion','e1',1790000038363169,0,'{"acknowledged":true,"acknowledged_by":"eva","acknowledged_us":1790000238023745,"active":false,"changed_us":1790000238023745,"confidence":0.97,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000056030513,"walk":"","x_m":75.0,"y_m":0.0}');
INSERT INTO "alarm" VALUES(2,'intrusion','e2',1790000188050563,1,'{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000224004391,"confidence":0.97,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000],["n04",1,224000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":2,"key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000188050563,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000206045187,"walk":"","x_m":62.5,"y_m":0.0}');
CREATE TABLE alarm_history (
    id       INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    change   TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    value    TEXT    NOT NULL
) STRICT;
INSERT INTO "alarm_history" VALUES(1,1,1790000038363169,'raised','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000038363169,"confidence":0.84,"detections":[["n01",1,20000],["n02",1,38000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west"],"speed_m_s":null,"suppressed":"","target":"person","told_us":1790000038363169,"walk":"","x_m":12.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(2,1,1790000056030513,'new_sector','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000056030513,"confidence":0.94,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000056030513,"walk":"","x_m":37.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(3,1,1790000074033172,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000074033172,"confidence":0.97,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000056030513,"walk":"","x_m":62.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(4,1,1790000170101619,'cleared','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":false,"changed_us":1790000170101619,"confidence":0.97,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000056030513,"walk":"","x_m":75.0,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(5,2,1790000188050563,'raised','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000188050563,"confidence":0.84,"detections":[["n01",1,170000],["n02",1,188000]],"direction_deg":null,"disposition":null,"escalated_to":"","escalation":0,"id":2,"key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02"],"note":"","priority":1,"raised_us":1790000188050563,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west"],"speed_m_s":null,"suppressed":"","target":"person","told_us":1790000188050563,"walk":"","x_m":12.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(6,2,1790000206045187,'new_sector','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000206045187,"confidence":0.94,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":2,"key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03"],"note":"","priority":1,"raised_us":1790000188050563,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000206045187,"walk":"","x_m":37.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(7,2,1790000224004391,'updated','','{"acknowledged":false,"acknowledged_by":"","acknowledged_us":null,"active":true,"changed_us":1790000224004391,"confidence":0.97,"detections":[["n01",1,170000],["n02",1,188000],["n03",1,206000],["n04",1,224000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":2,"key":"e2","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000188050563,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000206045187,"walk":"","x_m":62.5,"y_m":0.0}');
INSERT INTO "alarm_history" VALUES(8,1,1790000238023745,'acknowledged','eva','{"acknowledged":true,"acknowledged_by":"eva","acknowledged_us":1790000238023745,"active":false,"changed_us":1790000238023745,"confidence":0.97,"detections":[["n01",1,20000],["n02",1,38000],["n03",1,56000],["n04",1,74000]],"direction_deg":90.0,"disposition":null,"escalated_to":"","escalation":0,"id":1,"key":"e1","kind":"intrusion","late":false,"masked":"","nodes":["n01","n02","n03","n04"],"note":"","priority":1,"raised_us":1790000038363169,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"speed_m_s":1.39,"suppressed":"","target":"person","told_us":1790000056030513,"walk":"","x_m":75.0,"y_m":0.0}');
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
INSERT INTO "audit" VALUES(1,1790000038363169,'system','history.raised','alarm 1','',NULL,'{"history":1,"sha256":"5acf87ba469264b5ab05fd0d0e8baf73aafe623e24f5934c0c99aeb410b7905a"}',X'',X'79BFD8CCB176801982BA1E500C57680F698912792973D324A7C72C3C60430F26',X'62F614889F716B5BE95AD8D92FF4AA2B9D0F161C67F7F4FD9035782892CE17F1');
INSERT INTO "audit" VALUES(2,1790000056030513,'system','history.new_sector','alarm 1','',NULL,'{"history":2,"sha256":"c2aa7e723e42f68364f8433ac41513f22cdd5cf849662a3e709b5dc136d60fcf"}',X'',X'6A497F4A41CEB06427F58AAAD9630B9C002AF82C79083FEC0EC185A72EBC2D6A',X'82D7ADFB89B5E8C973BEF562A5DE4FB7608445A571A69034FA4CA4FFA1A55878');
INSERT INTO "audit" VALUES(3,1790000074033172,'system','history.updated','alarm 1','',NULL,'{"history":3,"sha256":"e2207596da82d212e292569a3e7b9c0b66b6f9e920e473523382494659cb9f84"}',X'',X'9012623FD1E907A71D0D8A9D71FBE58FFAEC498924A10EAEE4CABD61647BA38A',X'A3A84B710351A66A03749C316655FFA731223D9E03D5B43C695A828C93A1AB87');
INSERT INTO "audit" VALUES(4,1790000170101619,'system','history.cleared','alarm 1','',NULL,'{"history":4,"sha256":"f5868911b3c255f0432824b6c146eeb47d4c7f8f0a36c9cfb27ed0f9e80c0f28"}',X'',X'C13922ECEBC0C041EE6DFFD3B470D16714AE61C7E9A3B35EF77B1460008BA669',X'3612793787A9196DCD0C8B33ABED45175EFF8A4232B385910B8B214C5F27547B');
INSERT INTO "audit" VALUES(5,1790000188050563,'system','history.raised','alarm 2','',NULL,'{"history":5,"sha256":"0d7845431298e0a6d0b2579aa14fb4346fe640c505e854ddcc309284737e12ce"}',X'',X'E889FD147FAD9E75446BF64A8B65318BF5B7606B62954742BA45CE3E3B13E093',X'E20B7DEDC0C49E28B73CE31B36408F7EF0B38FC668916DEE60F799CB2D5933C8');
INSERT INTO "audit" VALUES(6,1790000206045187,'system','history.new_sector','alarm 2','',NULL,'{"history":6,"sha256":"a006d7492e38d7921aca16fdd2ea36cccb6b5362c0ae708c620c96614c5bedbf"}',X'',X'993279E89A4705F5622A74DBB07703476D45C5CA4D4F79204B21A748F519DBCB',X'45D741519B966B92B9B6E7E2453306971F8213ED60578857AFBA549DF4C39648');
INSERT INTO "audit" VALUES(7,1790000224004391,'system','history.updated','alarm 2','',NULL,'{"history":7,"sha256":"c00228bf748625f59976ad40e046788919960c708a4ddff74614a6ac3b21fb40"}',X'',X'E038A81C0CF68F0E60DC61123B79161184EE8E949FD3647D1DA62954401B0916',X'227CA03659B78F21C507F0A90CD948E6E10D757A10D4996112C8DEF850FA07E9');
INSERT INTO "audit" VALUES(8,1790000238023745,'eva','history.acknowledged','alarm 1','',NULL,'{"history":8,"sha256":"47be23871b4799884435bf1bbdab091c9b9437abd796fcb667f6c95723c26a7f"}',X'',X'57B8D87162FCD961C66FFB3736B45B90C7C34C950104F023CEC7848949F68E3B',X'C25D66218CDF461B28C939763F366747151AEF9539FC54BC16BD0EC331776B36');
INSERT INTO "audit" VALUES(9,1790000238023745,'eva','alarm.acknowledge','alarm 1','',NULL,'{"act":"alarm.acknowledge","alarm_id":1,"by":"eva","disposition":null,"note":""}',X'',X'B940A43C6817E19AE412FAB8B5EDF54316E0F8AA5B473D600D6C36DAACD86E51',X'37DC48C0DBA3BD774952C477F3850F70A5A249E9083A03F27174C992F92456EB');
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
INSERT INTO "boot" VALUES('n01',1,6,0,1790000000013000,14183,7,1790000184245716);
INSERT INTO "boot" VALUES('n02',1,6,0,1790000000016619,36210,7,1790000202221520);
INSERT INTO "boot" VALUES('n03',1,6,0,1790000000016407,31024,7,1790000220087971);
INSERT INTO "boot" VALUES('n04',1,6,0,1790000000005511,18233,7,1790000238023744);
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
INSERT INTO "detection" VALUES(1,'n01',1,1,20000,'onset','person',60,500,1790000020070873,1790000020070873,111089,1790000020070873);
INSERT INTO "detection" VALUES(2,'n01',1,2,20000,'update','person',60,500,1790000020000263,1790000025000263,71004,1790000025000263);
INSERT INTO "detection" VALUES(3,'n01',1,3,20000,'end','person',60,500,1790000020000995,1790000034000995,71736,1790000034159810);
INSERT INTO "detection" VALUES(4,'n02',1,1,38000,'onset','person',60,500,1790000038088569,1790000038088569,274600,1790000038363169);
INSERT INTO "detection" VALUES(5,'n02',1,2,38000,'update','person',60,500,1790000038003883,1790000043003883,85057,1790000043003883);
INSERT INTO "detection" VALUES(6,'n02',1,3,38000,'end','person',60,500,1790000038004610,1790000052004610,85784,1790000052097450);
INSERT INTO "detection" VALUES(7,'n03',1,1,56000,'onset','person',60,500,1790000056030513,1790000056030513,105755,1790000056030513);
INSERT INTO "detection" VALUES(8,'n03',1,2,56000,'update','person',60,500,1790000056003683,1790000061003683,27227,1790000061003683);
INSERT INTO "detection" VALUES(9,'n03',1,3,56000,'end','person',60,500,1790000056004408,1790000070004408,27952,1790000070072006);
INSERT INTO "detection" VALUES(10,'n04',1,1,74000,'onset','person',60,500,1790000074018241,1790000074018241,14931,1790000074033172);
INSERT INTO "detection" VALUES(11,'n04',1,2,74000,'update','person',60,500,1790000074018640,1790000079018640,12222,1790000079030862);
INSERT INTO "detection" VALUES(12,'n04',1,3,74000,'end','person',60,500,1790000074019360,1790000088019360,12942,1790000088042772);
INSERT INTO "detection" VALUES(13,'n01',1,4,170000,'onset','person',60,500,1790000170011870,1790000170011870,82611,1790000170101619);
INSERT INTO "detection" VALUES(14,'n01',1,5,170000,'update','person',60,500,1790000170012263,1790000175012263,13446,1790000175025709);
INSERT INTO "detection" VALUES(15,'n01',1,6,170000,'end','person',60,500,1790000170013000,1790000184013000,14183,1790000184245716);
INSERT INTO "detection" VALUES(16,'n02',1,4,188000,'onset','person',60,500,1790000188015486,1790000188015486,35077,1790000188050563);
INSERT INTO "detection" VALUES(17,'n02',1,5,188000,'update','person',60,500,1790000188015909,1790000193015909,35500,1790000193344472);
INSERT INTO "detection" VALUES(18,'n02',1,6,188000,'end','person',60,500,1790000188016619,1790000202016619,36210,1790000202221520);
INSERT INTO "detection" VALUES(19,'n03',1,4,206000,'onset','person',60,500,1790000206015285,1790000206015285,29902,1790000206045187);
INSERT INTO "detection" VALUES(20,'n03',1,5,206000,'update','person',60,500,1790000206015702,1790000211015702,30319,1790000211267642);
INSERT INTO "detection" VALUES(21,'n03',1,6,206000,'end','person',60,500,1790000206016407,1790000220016407,31024,1790000220087971);
INSERT INTO "detection" VALUES(22,'n04',1,4,224000,'onset','person',60,500,1790000224004391,1790000224004391,23818,1790000224004391);
INSERT INTO "detection" VALUES(23,'n04',1,5,224000,'update','person',60,500,1790000224004806,1790000229004806,24233,1790000229199567);
INSERT INTO "detection" VALUES(24,'n04',1,6,224000,'end','person',60,500,1790000224005511,1790000238005511,18233,1790000238023744);
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
INSERT INTO "message" VALUES(1,'n04',1,1,1,1790000000012320,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(2,'n02',1,1,1,1790000000085507,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(3,'n03',1,1,1,1790000000131797,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(4,'n01',1,1,1,1790000000180371,'hello',X'A8000101000263302E310366706C61796564040105000618FA071A000186A0');
INSERT INTO "message" VALUES(5,'n01',0,1,1,1790000020070873,'detection',X'A8000201194E200201030104183C051901F40618240700');
INSERT INTO "message" VALUES(6,'n01',0,1,2,1790000025000263,'detection',X'A9000201194E200202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(7,'n01',0,1,3,1790000034159810,'detection',X'A9000201194E200203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(8,'n02',0,1,1,1790000038363169,'detection',X'A80002011994700201030104183C051901F40618240700');
INSERT INTO "message" VALUES(9,'n02',0,1,2,1790000043003883,'detection',X'A90002011994700202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(10,'n02',0,1,3,1790000052097450,'detection',X'A90002011994700203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(11,'n03',0,1,1,1790000056030513,'detection',X'A800020119DAC00201030104183C051901F40618240700');
INSERT INTO "message" VALUES(12,'n03',0,1,2,1790000061003683,'detection',X'A900020119DAC00202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(13,'n03',0,1,3,1790000070072006,'detection',X'A900020119DAC00203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(14,'n04',0,1,1,1790000074033172,'detection',X'A80002011A000121100201030104183C051901F40618240700');
INSERT INTO "message" VALUES(15,'n04',0,1,2,1790000079030862,'detection',X'A90002011A000121100202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(16,'n04',0,1,3,1790000088042772,'detection',X'A90002011A000121100203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(17,'n01',0,1,4,1790000170101619,'detection',X'A80002011A000298100201030104183C051901F40618240700');
INSERT INTO "message" VALUES(18,'n01',0,1,5,1790000175025709,'detection',X'A90002011A000298100202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(19,'n01',0,1,6,1790000184245716,'detection',X'A90002011A000298100203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(20,'n02',0,1,4,1790000188050563,'detection',X'A80002011A0002DE600201030104183C051901F40618240700');
INSERT INTO "message" VALUES(21,'n02',0,1,5,1790000193344472,'detection',X'A90002011A0002DE600202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(22,'n02',0,1,6,1790000202221520,'detection',X'A90002011A0002DE600203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(23,'n03',0,1,4,1790000206045187,'detection',X'A80002011A000324B00201030104183C051901F40618240700');
INSERT INTO "message" VALUES(24,'n03',0,1,5,1790000211267642,'detection',X'A90002011A000324B00202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(25,'n03',0,1,6,1790000220087971,'detection',X'A90002011A000324B00203030104183C051901F4061824070008188C');
INSERT INTO "message" VALUES(26,'n04',0,1,4,1790000224004391,'detection',X'A80002011A00036B000201030104183C051901F40618240700');
INSERT INTO "message" VALUES(27,'n04',0,1,5,1790000229199567,'detection',X'A90002011A00036B000202030104183C051901F40618240700081832');
INSERT INTO "message" VALUES(28,'n04',0,1,6,1790000238023744,'detection',X'A90002011A00036B000203030104183C051901F4061824070008188C');
CREATE TABLE node (
    node          TEXT    NOT NULL UNIQUE,
    window_newest INTEGER NOT NULL,
    window_bits   BLOB    NOT NULL,
    down_reserved INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL
) STRICT;
INSERT INTO "node" VALUES('n01',65537,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',1024,1790000184245716);
INSERT INTO "node" VALUES('n02',65537,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',1024,1790000202221520);
INSERT INTO "node" VALUES('n03',65537,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',1024,1790000220087971);
INSERT INTO "node" VALUES('n04',65537,X'0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',1024,1790000238023744);
CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    arrival_us INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    head       BLOB    NOT NULL
) STRICT;
INSERT INTO "quarantine" VALUES(1,1790000000000001,'bad_envelope','n01','groundwatch/v1/yard/n01/up',40,X'8343A1010AA106450100010002581AD713C8A5F8049A16BE9A4AD94EC66A648A84D0E9167094C699');
INSERT INTO "quarantine" VALUES(2,1790000000000001,'bad_envelope','n02','groundwatch/v1/yard/n02/up',40,X'8343A1010AA106450100010002581A816799C2D9C6945051304C47AE2CE4190A05D828699E0E8E19');
INSERT INTO "quarantine" VALUES(3,1790000000000001,'bad_envelope','n03','groundwatch/v1/yard/n03/up',40,X'8343A1010AA106450100010002581A8312F6C57E6960ACD2F82E8CC7B906819EF499A1DBFECD1BAE');
INSERT INTO "quarantine" VALUES(4,1790000000000001,'bad_envelope','n04','groundwatch/v1/yard/n04/up',40,X'8343A1010AA106450100010002581A6A6444F652444CA2BACDE3BB0DC77CF8BAD2E07F553E5B7C40');
INSERT INTO "quarantine" VALUES(5,1790000000235019,'replayed','n01','groundwatch/v1/yard/n01/up',54,X'8343A1010AA106450100010001582749AF6F98B8771BE6EFBF7102B5699E9F227A3F718E0A40D4A8BE7A62E443B9AA1F9D8A98F45A44');
CREATE TABLE refused (
    reason TEXT    NOT NULL,
    node   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    UNIQUE (reason, node)
) STRICT;
INSERT INTO "refused" VALUES('bad_envelope','n01',1);
INSERT INTO "refused" VALUES('bad_envelope','n02',1);
INSERT INTO "refused" VALUES('bad_envelope','n03',1);
INSERT INTO "refused" VALUES('bad_envelope','n04',1);
INSERT INTO "refused" VALUES('replayed','n01',1);
CREATE TABLE state (
    name  TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "state" VALUES('count:messages','28');
INSERT INTO "state" VALUES('count:detections','8');
INSERT INTO "state" VALUES('node:n01','{"applied":{},"backfilled":0,"battery_mv":null,"board":"played","boot":1,"conditions":{},"duplicates":2,"floor_um_s":null,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000184013000,"last_seen_us":1790000184245716,"ledger_pending":null,"lost":false,"messages":7,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('node:n02','{"applied":{},"backfilled":0,"battery_mv":null,"board":"played","boot":1,"conditions":{},"duplicates":2,"floor_um_s":null,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000202016619,"last_seen_us":1790000202221520,"ledger_pending":null,"lost":false,"messages":7,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('node:n03','{"applied":{},"backfilled":0,"battery_mv":null,"board":"played","boot":1,"conditions":{},"duplicates":0,"floor_um_s":null,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000220016407,"last_seen_us":1790000220087971,"ledger_pending":null,"lost":false,"messages":7,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('node:n04','{"applied":{},"backfilled":0,"battery_mv":null,"board":"played","boot":1,"conditions":{},"duplicates":0,"floor_um_s":null,"forged":false,"fw":"0.1","gone":[],"last_detection_us":1790000238005511,"last_seen_us":1790000238023744,"ledger_pending":null,"lost":false,"messages":7,"records_dropped":0,"reset_cause":"power_on","rssi_dbm":null,"samples_missed":null,"will_us":null}');
INSERT INTO "state" VALUES('event:e2','{"activities":[["n01",1,170000,"west",1,0.6,5.0,0,1790000170013000,1790000184013000,3,3],["n02",1,188000,"west",1,0.6,5.0,0,1790000188016619,1790000202016619,3,3],["n03",1,206000,"east",1,0.6,5.0,0,1790000206016407,1790000220016407,3,3],["n04",1,224000,"east",1,0.6,5.0,0,1790000224005511,1790000238005511,3,3]],"closed":false,"confidence":0.97,"confirmed":true,"first_us":1790000170013000,"id":"e2","last_us":1790000238005511,"reasons":["nodes heard it within 20 s of each other"],"sectors":["west","east"],"target":1,"touched_us":1790000238023744,"track":[90.0,1.39],"x_m":75.0,"y_m":0.0}');
INSERT INTO "state" VALUES('last_event','2');
INSERT INTO "state" VALUES('count:alarms','2');
INSERT INTO "state" VALUES('count:history','8');
CREATE INDEX detection_by_time ON detection (onset_us);
CREATE INDEX alarm_open ON alarm (open, id);
CREATE INDEX message_by_age ON message (kind, arrival_us);
CREATE INDEX history_by_alarm ON alarm_history (alarm_id);
COMMIT;
