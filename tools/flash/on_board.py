# SPDX-License-Identifier: MIT
"""Programs that run on the board over the cable: MicroPython without any of the node's firmware.

HELPERS are defined once per session. The board checks every chunk and every file that it receives.
"""

HELPERS = """
import os,json,sys,hashlib,binascii,machine,select,micropython
def _reply(o):
 s=json.dumps(o);print(binascii.crc32(s.encode()),s)
def _sum(p):
 h=hashlib.sha256();b=bytearray(512);m=memoryview(b)
 with open(p,'rb') as f:
  while 1:
   n=f.readinto(b)
   if not n:break
   h.update(m[:n])
 return binascii.hexlify(h.digest()).decode()
def _kind(p):
 try:return os.stat(p)[0]
 except OSError:return 0
def _walk(p,o):
 k=_kind(p)
 if k&0x4000:
  for e in os.ilistdir(p):_walk(p+'/'+e[0],o)
 elif k:o[p]=_sum(p)
def _rm(p):
 k=_kind(p)
 if k&0x4000:
  for e in list(os.ilistdir(p)):_rm(p+'/'+e[0])
  os.rmdir(p)
 elif k:os.remove(p)
def _mk(p):
 a=''
 for s in p.split('/')[:-1]:
  a+=s
  if not _kind(a):os.mkdir(a)
  a+='/'
def _get(f,n,c):
 b=bytearray(256);m=memoryview(b);p=select.poll();p.register(sys.stdin,1);x=0
 micropython.kbd_intr(-1)
 try:
  while n:
   k=min(n,256);a=0
   sys.stdout.write('\x06')
   while a<k:
    if not p.poll(5000):raise ValueError('silence')
    a+=sys.stdin.buffer.readinto(m[a:k])
   f.write(m[:k]);x=binascii.crc32(m[:k],x);n-=k
 finally:micropython.kbd_intr(3)
 if x!=c:raise ValueError('noise')
def _end(p,s):
 if _sum(p+'.new')!=s:raise ValueError('noise')
 os.rename(p+'.new',p)
def _hmac(k,d):
 i=bytearray(b'\\x36'*64);o=bytearray(b'\\x5c'*64)
 for n in range(len(k)):
  i[n]^=k[n];o[n]^=k[n]
 return hashlib.sha256(bytes(o)+hashlib.sha256(bytes(i)+d).digest()).digest()
def _slot(p):
 try:
  with open(p,'rb') as f:d=f.read(9)
 except OSError:return 0
 n=d[:-4]
 ok=len(n)in(2,4)and d[-4:]==binascii.crc32(n).to_bytes(4,'big')
 return int.from_bytes(n,'big') if ok else -1
"""

IDENTITY = """
import json,sys,os,machine,binascii,gc
gc.collect()
v=os.statvfs('/')
_reply({'platform':sys.platform,'machine':getattr(sys.implementation,'_machine','?'),
'version':list(sys.implementation.version[:3]),'id':binascii.hexlify(machine.unique_id()).decode(),
'free':v[0]*v[3],'mpy':getattr(sys.implementation,'_mpy',0),'heap':gc.mem_free()})
"""

INVENTORY = """
o={{}}
for p in {names!r}:_walk(p,o)
_reply(o)
"""

# Site and node of its settings, and the highest boot number in its state; nothing of its key.
STANDING = """
o={'site':'','node':''}
try:
 with open('node.json') as f:j=json.load(f)
 o={'site':j['site'],'node':j['node']}
except (OSError,ValueError,KeyError,TypeError):pass
o['boot']=max(_slot('state/boot0'),_slot('state/boot1'))
_reply(o)
"""

# The node key in use, found as ugs.ratchet finds it: that of node.json, or the stored one.
# HKDF-Expand of one block, then the answer (RFC 5869 2.3, RFC 2104).
ANSWER = """
try:
 with open('node.json') as f:k=binascii.unhexlify(json.load(f).get('key',''))
 d=b''
 if _kind('state/key'):
  with open('state/key','rb') as f:d=f.read(128)
 if len(d)==68 and (not k or _hmac(k,b'groundwatch/v1 check\x01')[:4]==d[:4]):k=d[16:48]
 if not k:raise ValueError
 r=binascii.hexlify(_hmac(_hmac(k,b'groundwatch/v1 challenge\\x01'),{challenge!r})).decode()
except (OSError,ValueError,KeyError,TypeError):r=''
k=None
_reply(r)
"""

# The other slot stays: its number is lower, and the node uses the higher one.
BOOT_FLOOR = """
if not _kind('state'):os.mkdir('state')
n=({boot}).to_bytes(4,'big')
with open('state/boot0','wb') as f:f.write(n+binascii.crc32(n).to_bytes(4,'big'))
_reply(_slot('state/boot0'))
"""

# littlefs writes a copy before it frees a block, so an old key stays in free blocks and in blocks
# that are not compacted. This fills and compacts the folders' two blocks, then all free blocks.
SCRUB = """
if _kind('scrub.due'):
 for i in range(192):
  p='state/scrub' if i&1 and _kind('state') else 'scrub'
  with open(p,'wb') as f:f.write(bytes(400))
  os.remove(p)
 z=bytes(2048)
 with open('scrub','wb') as f:
  try:
   while 1:f.write(z)
  except OSError:pass
 os.remove('scrub')
 os.remove('scrub.due')
_reply(1)
"""
