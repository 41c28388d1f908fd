package render

// handshakeScript is the part of the gate's script that tries whether the other servers
// take this pod's certificate, while its host still serves. What it rests on:
//   - Whoever accepts a connection holds the name of its source, the pod's address,
//     against the certificate (ZKTrustManager.checkClientTrusted, X509Util), which no
//     Service's or host's name helps: with ssl.quorum.hostnameVerification a pod whose
//     certificate names all of them is refused, after its host was stopped.
//   - ZooKeeper's own classes shake hands, with the pod's own files.
//   - In TLS 1.3 a refusal comes after the handshake: who took it waits for our words, so
//     a while without any is a yes. It is short, for the other server takes nobody
//     else meanwhile (QuorumCnxManager.receiveConnection).
//   - A server that cannot be reached has refused nothing; the paths are tested elsewhere.
const handshakeScript = `
shaken= hand= hand_at=-30 hand_said=

# Shakes hands with the servers in zoo.cfg: pkg/render/handshake/Handshake.java.
handshake_class='
yv66vgAAADQBEwoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClW
BwAIAQAUamF2YS91dGlsL1Byb3BlcnRpZXMKAAcAAwcACwEAGWphdmEvaW8vSW5wdXRTdHJlYW1S
ZWFkZXIHAA0BABdqYXZhL2lvL0ZpbGVJbnB1dFN0cmVhbQoADAAPDAAFABABABUoTGphdmEvbGFu
Zy9TdHJpbmc7KVYJABIAEwcAFAwAFQAWAQAhamF2YS9uaW8vY2hhcnNldC9TdGFuZGFyZENoYXJz
ZXRzAQAFVVRGXzgBABpMamF2YS9uaW8vY2hhcnNldC9DaGFyc2V0OwoACgAYDAAFABkBADIoTGph
dmEvaW8vSW5wdXRTdHJlYW07TGphdmEvbmlvL2NoYXJzZXQvQ2hhcnNldDspVgoABwAbDAAcAB0B
AARsb2FkAQATKExqYXZhL2lvL1JlYWRlcjspVgoACgAfDAAgAAYBAAVjbG9zZQcAIgEAE2phdmEv
bGFuZy9UaHJvd2FibGUKACEAJAwAJQAmAQANYWRkU3VwcHJlc3NlZAEAGChMamF2YS9sYW5nL1Ro
cm93YWJsZTspVgoABwAoDAApACoBABNzdHJpbmdQcm9wZXJ0eU5hbWVzAQARKClMamF2YS91dGls
L1NldDsLACwALQcALgwALwAwAQANamF2YS91dGlsL1NldAEACGl0ZXJhdG9yAQAWKClMamF2YS91
dGlsL0l0ZXJhdG9yOwsAMgAzBwA0DAA1ADYBABJqYXZhL3V0aWwvSXRlcmF0b3IBAAdoYXNOZXh0
AQADKClaCwAyADgMADkAOgEABG5leHQBABQoKUxqYXZhL2xhbmcvT2JqZWN0OwcAPAEAEGphdmEv
bGFuZy9TdHJpbmcIAD4BAARzc2wuCgA7AEAMAEEAQgEACnN0YXJ0c1dpdGgBABUoTGphdmEvbGFu
Zy9TdHJpbmc7KVoIAEQBAAlmaXBzLW1vZGUKADsARgwARwBIAQAGZXF1YWxzAQAVKExqYXZhL2xh
bmcvT2JqZWN0OylaBwBKAQAXamF2YS9sYW5nL1N0cmluZ0J1aWxkZXIKAEkAAwgATQEACnpvb2tl
ZXBlci4KAEkATwwAUABRAQAGYXBwZW5kAQAtKExqYXZhL2xhbmcvU3RyaW5nOylMamF2YS9sYW5n
L1N0cmluZ0J1aWxkZXI7CgBJAFMMAFQAVQEACHRvU3RyaW5nAQAUKClMamF2YS9sYW5nL1N0cmlu
ZzsKAAcAVwwAWABZAQALZ2V0UHJvcGVydHkBACYoTGphdmEvbGFuZy9TdHJpbmc7KUxqYXZhL2xh
bmcvU3RyaW5nOwoAOwBbDABcAFUBAAR0cmltCgBeAF8HAGAMAGEAYgEAEGphdmEvbGFuZy9TeXN0
ZW0BAAtzZXRQcm9wZXJ0eQEAOChMamF2YS9sYW5nL1N0cmluZztMamF2YS9sYW5nL1N0cmluZzsp
TGphdmEvbGFuZy9TdHJpbmc7CABkAQAqb3JnLmFwYWNoZS56b29rZWVwZXIuY29tbW9uLlF1b3J1
bVg1MDlVdGlsCgBmAGcHAGgMAGkAagEAD2phdmEvbGFuZy9DbGFzcwEAB2Zvck5hbWUBACUoTGph
dmEvbGFuZy9TdHJpbmc7KUxqYXZhL2xhbmcvQ2xhc3M7CgBmAGwMAG0AbgEADmdldENvbnN0cnVj
dG9yAQAzKFtMamF2YS9sYW5nL0NsYXNzOylMamF2YS9sYW5nL3JlZmxlY3QvQ29uc3RydWN0b3I7
CgBwAHEHAHIMAHMAdAEAHWphdmEvbGFuZy9yZWZsZWN0L0NvbnN0cnVjdG9yAQALbmV3SW5zdGFu
Y2UBACcoW0xqYXZhL2xhbmcvT2JqZWN0OylMamF2YS9sYW5nL09iamVjdDsKAAIAdgwAdwB4AQAI
Z2V0Q2xhc3MBABMoKUxqYXZhL2xhbmcvQ2xhc3M7CAB6AQAPY3JlYXRlU1NMU29ja2V0CgBmAHwM
AH0AfgEACWdldE1ldGhvZAEAQChMamF2YS9sYW5nL1N0cmluZztbTGphdmEvbGFuZy9DbGFzczsp
TGphdmEvbGFuZy9yZWZsZWN0L01ldGhvZDsHAIABABFqYXZhL3V0aWwvVHJlZVNldAoAfwCCDAAF
AIMBABkoTGphdmEvdXRpbC9Db2xsZWN0aW9uOylWCgB/AC0IAIYBAAdzZXJ2ZXIuCACIAQABWwoA
OwCKDACLAIwBAAdpbmRleE9mAQAEKEkpSQoAOwCODACPAJABAAlzdWJzdHJpbmcBABUoSSlMamF2
YS9sYW5nL1N0cmluZzsIAJIBAARbOjtdCgA7AJQMAJUAlgEABXNwbGl0AQAnKExqYXZhL2xhbmcv
U3RyaW5nOylbTGphdmEvbGFuZy9TdHJpbmc7CgA7AJgMAI8AmQEAFihJSSlMamF2YS9sYW5nL1N0
cmluZzsIAJsBAAAKADsAnQwAngCfAQAHcmVwbGFjZQEARChMamF2YS9sYW5nL0NoYXJTZXF1ZW5j
ZTtMamF2YS9sYW5nL0NoYXJTZXF1ZW5jZTspTGphdmEvbGFuZy9TdHJpbmc7CAChAQABXQkAXgCj
DACkAKUBAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsKAKcAqAcAqQwAqgCrAQARamF2YS9s
YW5nL0ludGVnZXIBAAhwYXJzZUludAEAFShMamF2YS9sYW5nL1N0cmluZzspSQoArQCuBwCvDACw
ALEBAAlIYW5kc2hha2UBAAVzaGFrZQEAUyhMamF2YS9sYW5nL09iamVjdDtMamF2YS9sYW5nL3Jl
ZmxlY3QvTWV0aG9kO0xqYXZhL2xhbmcvU3RyaW5nO0kpTGphdmEvbGFuZy9TdHJpbmc7CgCzALQH
ALUMALYAEAEAE2phdmEvaW8vUHJpbnRTdHJlYW0BAAdwcmludGxuCAC4AQADZW5kCAC6AQABIAoA
SQC8DABQAL0BABwoSSlMamF2YS9sYW5nL1N0cmluZ0J1aWxkZXI7CgC/AMAHAMEMAMIAwwEAGGph
dmEvbGFuZy9yZWZsZWN0L01ldGhvZAEABmludm9rZQEAOShMamF2YS9sYW5nL09iamVjdDtbTGph
dmEvbGFuZy9PYmplY3Q7KUxqYXZhL2xhbmcvT2JqZWN0OwcAxQEAF2phdmF4L25ldC9zc2wvU1NM
U29ja2V0BwDHAQAaamF2YS9uZXQvSW5ldFNvY2tldEFkZHJlc3MKAMYAyQwABQDKAQAWKExqYXZh
L2xhbmcvU3RyaW5nO0kpVgoAxADMDADNAM4BAAdjb25uZWN0AQAcKExqYXZhL25ldC9Tb2NrZXRB
ZGRyZXNzO0kpVgoAxADQDADRANIBAAxzZXRTb1RpbWVvdXQBAAQoSSlWCgDEANQMANUABgEADnN0
YXJ0SGFuZHNoYWtlCgDEANcMANgA2QEADmdldElucHV0U3RyZWFtAQAXKClMamF2YS9pby9JbnB1
dFN0cmVhbTsKANsA3AcA3QwA3gDfAQATamF2YS9pby9JbnB1dFN0cmVhbQEABHJlYWQBAAMoKUkI
AOEBAAhyZWZ1c2VkIAgA4wEALGl0IGNsb3NlZCB0aGUgY29ubmVjdGlvbiBhZnRlciB0aGUgaGFu
ZHNoYWtlCADlAQADb2sgCgDEAB8HAOgBAB9qYXZhL25ldC9Tb2NrZXRUaW1lb3V0RXhjZXB0aW9u
CADqAQAIdW5rbm93biAHAOwBABpqYXZheC9uZXQvc3NsL1NTTEV4Y2VwdGlvbgoArQDuDADvAPAB
AAN3aHkBACkoTGphdmEvbGFuZy9UaHJvd2FibGU7KUxqYXZhL2xhbmcvU3RyaW5nOwcA8gEAK2ph
dmEvbGFuZy9yZWZsZWN0L0ludm9jYXRpb25UYXJnZXRFeGNlcHRpb24IAPQBAAdicm9rZW4gCgDx
APYMAPcA+AEACGdldENhdXNlAQAXKClMamF2YS9sYW5nL1Rocm93YWJsZTsHAPoBABNqYXZhL2lv
L0lPRXhjZXB0aW9uBwD8AQATamF2YS9sYW5nL0V4Y2VwdGlvbgoAIQD2CgAhAP8MAQAAVQEACmdl
dE1lc3NhZ2UKADsBAgwBAwEEAQAHdmFsdWVPZgEAJihMamF2YS9sYW5nL09iamVjdDspTGphdmEv
bGFuZy9TdHJpbmc7CAEGAQAGW14gLX5dCAEIAQABPwoAOwEKDAELAGIBAApyZXBsYWNlQWxsAQAE
Q29kZQEABG1haW4BABYoW0xqYXZhL2xhbmcvU3RyaW5nOylWAQANU3RhY2tNYXBUYWJsZQcBEQEA
E1tMamF2YS9sYW5nL1N0cmluZzsBAApFeGNlcHRpb25zACAArQACAAAAAAAEAAAABQAGAAEBDAAA
ABEAAQABAAAABSq3AAGxAAAAAAAJAQ0BDgACAQwAAAINAAYACgAAAYG7AAdZtwAJTAQ9HCq+ogA/
uwAKWbsADFkqHDK3AA6yABG3ABdOKy22ABottgAepwAYOgQttgAepwAMOgUZBBkFtgAjGQS/hAIB
p//BK7YAJ7kAKwEATSy5ADEBAJkAQSy5ADcBAMAAO04tEj22AD+aAAwtEkO2AEWZACK7AElZtwBL
Eky2AE4ttgBOtgBSKy22AFa2AFq4AF1Xp/+8EmO4AGUDvQBmtgBrA70AArYAb00stgB1EnkDvQBm
tgB7TrsAf1krtgAntwCBtgCEOgQZBLkAMQEAmQCiGQS5ADcBAMAAOzoFGQUShbYAP5kAiRkFuwBJ
WbcASxKFtgBOKgMytgBOtgBStgBFmgBsKxkFtgBWtgBaOgYZBhKHtgA/mQAPGQYQXbYAiQRgpwAK
GQYQOrYAiTYHGQYVBwRgtgCNEpG2AJM6CBkGAxUHtgCXEocSmrYAnBKgEpq2AJw6CbIAoiwtGQkZ
CAQytgBauACmuACstgCyp/9asgCiEre2ALKxAAIAJQAqADEAIQAzADcAOgAhAAEBDwAAAGoAD/0A
CgcABwH/ACYABAcBEAcABwEHAAoAAQcAIf8ACAAFBwEQBwAHAQcACgcAIQABBwAhCPkAAvoABfwA
CQcAMvwAJAcAO/oAHvoAAv4AMQcAAgcAvwcAMv0AXQcAOwcAO0YB+QBA+gACARIAAAAEAAEA+wAI
ALAAsQABAQwAAALrAAUACQAAAWcDNgS7AElZtwBLLLYAThK5tgBOHbYAuxK5tgBOtgBSOgUrKgO9
AAK2AL7AAMQ6BhkGuwDGWSwdtwDIEQu4tgDLGQYRC7i2AM8ZBrYA0wQ2BBkGEQK8tgDPGQa2ANa2
ANqcAB+7AElZtwBLEuC2AE4ZBbYAThLitgBOtgBSpwAXuwBJWbcASxLktgBOGQW2AE62AFI6BxkG
xgAIGQa2AOYZB7A6BxkGxgAUGQa2AOanAAw6CBkHGQi2ACMZB786BrsASVm3AEsVBJkACBLkpwAF
Eum2AE4ZBbYATrYAUrA6BrsASVm3AEsS4LYAThkFtgBOGQa4AO22AE62AFKwOga7AElZtwBLEvO2
AE4ZBbYAThkGtgD1uADttgBOtgBSsDoGuwBJWbcASxUEmQAIEuCnAAUS6bYAThkFtgBOGQa4AO22
AE62AFKwOga7AElZtwBLEvO2AE4ZBbYAThkGuADttgBOtgBSsAAMAC8AlQCiACEAqQCuALEAIQAh
AJ8AvQDnAKIAvQC9AOcAIQCfAN4A6wCiAL0A3gDrACEAnwD9APEAogC9AP0A8QAhAJ8BHwD5AKIA
vQEfAPkAIQCfAUgA+wCiAL0BSAD7AAEBDwAAARIAD/4AfwEHADsHAMRTBwA7/AALBwA7/wACAAcH
AAIHAL8HADsBAQcAOwcAxAABBwAh/wAOAAgHAAIHAL8HADsBAQcAOwcAxAcAIQABBwAhCP8AAgAG
BwACBwC/BwA7AQEHADsAAQcA5/8AEgAHBwACBwC/BwA7AQEHADsHAOcAAQcASf8AAQAHBwACBwC/
BwA7AQEHADsHAOcAAgcASQcAO/8ACwAGBwACBwC/BwA7AQEHADsAAQcA614HAPFhBwD5/wASAAcH
AAIHAL8HADsBAQcAOwcA+QABBwBJ/wABAAcHAAIHAL8HADsBAQcAOwcA+QACBwBJBwA7/wATAAYH
AAIHAL8HADsBAQcAOwABBwD7AAgA7wDwAAEBDAAAADYAAwABAAAAICq2AP3GAAsqtgD9S6f/9Cq2
AP64AQETAQUTAQe2AQmwAAAAAQEPAAAABAACAA4AAA==
'

# Fails until all others that were reached have taken the certificate: detail says why, but
# while hand is open. What is not known keeps nobody up.
shake() {
  local line verdict flag part name rest fqdn=
  local -a parts=() flags=() words=()
  [[ $shaken != "${placed:-none}" ]] || return 0
  setting sslQuorum "$conf/zoo.cfg"
  [[ $value == [tT][rR][uU][eE] && -n $java && -n $jars ]] || { shaken=${placed:-none}; return 0; }
  if [[ -z $hand ]]; then
    ((SECONDS - hand_at >= 20)) || { refuse "$hand_said"; return; }
    setting dynamicConfigFile "$conf/zoo.cfg"
    for part in "$conf/zoo.cfg" ${value:+"$conf/${value##*/}"} "$conf/$id.zoo.cfg" "$private/zoo.cfg" "$private/$id.zoo.cfg"; do
      [[ -e $part ]] && parts+=("$part")
    done
    for flag in ${SERVER_JVMFLAGS-} $(flags && printf %s "$SERVER_JVMFLAGS"); do
      [[ $flag == -Dzookeeper.* || $flag == -Djavax.net.ssl.* ]] && flags+=("$flag")
    done
    base64 -d <<<"$handshake_class" >"$reports/Handshake.class" 2>/dev/null || { shaken=${placed:-none}; return 0; }
    hand_at=$SECONDS hand_said=
    exec {hand}< <(
      unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
      exec timeout -k 1 60 "$java" -Xmx48m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${flags[@]+"${flags[@]}"} \
        -cp "$reports:$jars" Handshake "$id" "${parts[@]}" 2>&1
    )
  fi
  while read -r _ name rest; do
    [[ $rest == "${POD_NAME-}" ]] && fqdn="*.${name#*.}"
  done 2>/dev/null </etc/hosts
  while read -rt 0.01 -u "$hand" line; verdict=$?; ((verdict == 0)); do
    case $line in
    "refused "*)
      words=($line)
      hand_said="the server at ${words[1]}:${words[2]} refuses this pod's certificate (${words[*]:3}): is it signed by a CA that the server trusts, still valid, and is it for ${fqdn:-this pod}?"
      ;;
    "broken "*) hand_said="this pod's own TLS files cannot be used: ${line#broken * * }" ;;
    esac
  done
  ((verdict <= 128)) || return
  exec {hand}<&-
  hand=
  [[ -n $hand_said ]] && { refuse "$hand_said"; return; }
  shaken=${placed:-none}
}
`
