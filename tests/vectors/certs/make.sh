#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes every key and certificate here anew: sh make.sh, in this folder, with OpenSSL 3. Their names say what they
# are; README.md lists them. The keys are public: they are for tests and nothing else.

set -eu
cd "$(dirname "$0")"
DAYS=10957 # 30 years

key()
{
    case $2 in
    rsa*) openssl genrsa -out "$1" "${2#rsa}" 2>/dev/null ;;
    *) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1" ;;
    esac
}

# self KEY CERT SUBJECT [OPENSSL ARGUMENTS...]
self()
{
    k=$1 c=$2 s=$3
    shift 3
    openssl req -x509 -new -key "$k" -out "$c" -subj "$s" -days $DAYS -sha256 "$@"
}

# issue KEY CERT SUBJECT ISSUER-CERT ISSUER-KEY EXTENSIONS [OPENSSL ARGUMENTS...]
issue()
{
    k=$1 c=$2 s=$3 ic=$4 ik=$5 e=$6
    shift 6
    openssl req -new -key "$k" -subj "$s" -out tmp.csr
    printf '%b' "$e" >tmp.ext
    openssl x509 -req -in tmp.csr -CA "$ic" -CAkey "$ik" -out "$c" -days $DAYS -sha256 -extfile tmp.ext \
        -set_serial "0x$(openssl rand -hex 8 | sed 's/^./1/')" "$@" 2>/dev/null
    rm tmp.csr tmp.ext
}

# at START END KEY CERT: self-signed, valid exactly from START to END (YYYYMMDDHHMMSSZ)
at()
{
    : >tmp.index
    cat >tmp.cnf <<END
[ca]
default_ca = one
[one]
database = tmp.index
new_certs_dir = .
serial = tmp.serial
default_md = sha256
policy = any
x509_extensions = ext
unique_subject = no
[any]
commonName = supplied
[ext]
subjectAltName = DNS:dates.test
END
    echo 1001 >tmp.serial
    openssl req -new -key "$3" -subj /CN=dates.test -out tmp.csr
    openssl ca -batch -config tmp.cnf -selfsign -keyfile "$3" -in tmp.csr -startdate "$1" -enddate "$2" -notext \
        -out "$4" 2>/dev/null
    rm -f tmp.* 1001.pem
}

# Keys, each in the formats that people have.
key p256.key P-256
key p384.key P-384
key p521.key P-521
key rsa2048.key rsa2048
key rsa4096.key rsa4096
openssl ec -in p256.key -out p256.sec1.key 2>/dev/null
openssl ecparam -name prime256v1 -out tmp.param
cat tmp.param p256.sec1.key >p256.sec1-with-parameters.key
rm tmp.param
openssl ec -in p384.key -out p384.sec1.key 2>/dev/null
openssl rsa -in rsa2048.key -traditional -out rsa2048.pkcs1.key 2>/dev/null
openssl pkcs8 -topk8 -in p256.key -passout pass:secret -out p256.encrypted-pkcs8.key
openssl ec -in p256.key -aes128 -passout pass:secret -out p256.encrypted-sec1.key 2>/dev/null
key rsa1024.key rsa1024
key secp256k1.key secp256k1
key brainpool.key brainpoolP256r1
openssl genpkey -algorithm ED25519 -out ed25519.key
openssl pkey -in p256.key -pubout -out p256.public.pem
openssl pkey -in p256.key -outform DER -out p256.key.der
openssl pkey -in p256.key -ec_param_enc explicit -out p256.explicit.key

# Self-signed.
self p256.key p256.pem /CN=p256.test -addext subjectAltName=DNS:p256.test,DNS:www.p256.test
self p384.key p384.pem /CN=p384.test -addext subjectAltName=DNS:p384.test
self p521.key p521.pem /CN=p521.test -addext subjectAltName=DNS:p521.test
self rsa2048.key rsa2048.pem /CN=rsa.test -addext subjectAltName=DNS:rsa.test
self rsa4096.key rsa4096.pem /CN=rsa4096.test -addext subjectAltName=DNS:rsa4096.test
self rsa1024.key rsa1024.pem /CN=rsa1024.test -addext subjectAltName=DNS:rsa1024.test
self ed25519.key ed25519.pem /CN=ed25519.test -addext subjectAltName=DNS:ed25519.test
self p256.key wildcard.pem /CN=wild -addext 'subjectAltName=DNS:*.example.test,DNS:example.test,DNS:w*.partial.test'
self p256.key ip.pem /CN=ip -addext subjectAltName=IP:192.0.2.1,IP:2001:db8::1,DNS:ip.test
self p256.key no-san.pem /O=Old/CN=old.test
self p256.key email-san.pem /CN=mail.test -addext subjectAltName=email:a@mail.test
openssl x509 -in p256.pem -outform DER -out p256.pem.der
openssl x509 -in p256.pem -trustout -out p256.trusted.pem
openssl req -new -key p256.key -subj /CN=p256.test -out p256.csr
openssl x509 -req -in p256.csr -signkey p256.key -out v1.pem -days $DAYS -sha256 2>/dev/null

# A chain of three: root (P-384) signs intermediate (RSA) signs leaf (P-256).
key tmp.root P-384
key tmp.intermediate rsa2048
self tmp.root root.pem '/O=Test/CN=Test Root' -addext keyUsage=critical,keyCertSign
issue tmp.intermediate intermediate.pem '/O=Test/CN=Test Intermediate' root.pem tmp.root \
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
issue p256.key leaf.pem '/CN=leaf.test' intermediate.pem tmp.intermediate \
    'subjectAltName=DNS:leaf.test\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n'
issue p384.key by-leaf.pem '/CN=other.test' leaf.pem p256.key 'subjectAltName=DNS:other.test\n'
rm tmp.root tmp.intermediate
cat leaf.pem intermediate.pem root.pem >chain.pem
cat leaf.pem root.pem intermediate.pem >chain-swapped.pem
cat root.pem intermediate.pem leaf.pem >chain-reversed.pem
cat leaf.pem p384.pem >chain-stranger.pem
{ openssl x509 -in leaf.pem -text; echo; echo 'and its issuer:'; cat intermediate.pem; cat p256.key; } >chain-with-text.pem
sed 's/$/\r/' chain.pem >chain-crlf.pem
{ printf '\357\273\277'; printf '%s' "$(cat chain.pem)"; } >chain-bom-no-newline.pem
head -c 1400 chain.pem >cut-off.pem

# Dates.
at 20000101000000Z 20010101000000Z p256.key expired.pem
at 20480101000000Z 20490101000000Z p256.key future.pem
at 19500101000000Z 20491231235959Z p256.key utctime.pem
at 20491231235959Z 20500101000000Z p256.key across-2050.pem
at 20000229000000Z 99991231235959Z p256.key never-expires.pem
