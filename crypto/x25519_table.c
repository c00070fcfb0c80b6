/* SPDX-License-Identifier: MIT
 *
 * Written by crypto/x25519_table.py. Multiples of the base point: see crypto/x25519_table.h.
 */
#include "crypto/x25519_table.h"

#ifdef __SIZEOF_INT128__

/* clang-format off */
const struct x25519_entry x25519_table[X25519_TABLES][X25519_ENTRIES] = {
    {
        {
            {0x134ec28e6139fac9, 0x475f6912f5f522d8, 0x5b32ee8292a6795a, 0x12e8b0f97db45cc0},
            {0x9a058c85450d9f73, 0x071d4806f8153fc8, 0x047f8fa419e8910a, 0x1d024d05e8c960c1},
            {0xf3e5d95c5a53d6c0, 0xac7643f8c0f9c948, 0xb72c5dbb0d9f9c0d, 0x3dbf4aeb50e9f38a},
        },
        {
            {0xab9801fcb5742d8f, 0x04d76df6c4c14cbb, 0x6df7c1ea34bbc278, 0x2c34b18cb52822fe},
            {0x72e4e4176a8882d2, 0xaae8649e5ccfd71c, 0xa1867ffebe557e45, 0x01a22884317f5c38},
            {0x39f4bb98cb93b38e, 0x22f68530d137d3ff, 0xdf459134d9250548, 0x3450e237927d6338},
        },
        {
            {0x3668d8df97fda3c1, 0x73a22c85bd8899b5, 0x6a70727b3fb43b1c, 0x6f36f7722902e0d7},
            {0xa8fc2d0d3fd5f485, 0x51315b0692044a66, 0x5335e8c021a2fff3, 0x6217622754b5db8f},
            {0x80dccf3941f84d8e, 0x281544290cb67744, 0x5b1efbddafae4155, 0x1f4ab7cc276cbaae},
        },
        {
            {0xf59478c66f3ce1e8, 0xf7e568dddd379af3, 0xcd32ff88a9f10991, 0x65066d54c4b933ae},
            {0x8b2ee93f1d6c6e4b, 0xd6c7d5c4df3b6d30, 0xbf1a0c267e8cdae0, 0x46dff0997b9a7c52},
            {0x8b332e366559278d, 0x09eef6622cfdd41f, 0x9cdbf683e5ab018e, 0x536c4eda906399b6},
        },
        {
            {0xb7262e97791d40cf, 0x1e090e12ad00d62f, 0x9a045af5129cf314, 0x67f97697899b7efa},
            {0xef3abb6709c92d1a, 0x5853255be9ceb87e, 0x5a550fe500924e40, 0x7883fbd93a24159b},
            {0xf0c312487385639f, 0x2f9f9d5cff56601e, 0x2076458329ff1159, 0x657061743c6d4bfd},
        },
        {
            {0xdb936ff1b295fddf, 0x27ec7d8780de14a1, 0xf1849323e50a87d8, 0x051a398d98071a41},
            {0x5a1458c9ffa83741, 0xd743746411c92a70, 0x5e10068eb9f43ef0, 0x427437534d21637e},
            {0x2f98740237f9f6f6, 0x93db7b15b729e6c2, 0xd1e2f0c97dc2229e, 0x707e23a77928d19f},
        },
        {
            {0xa72614e619bd4e29, 0x3ba34870f98d0b77, 0x83aa17fcb6fbb6b7, 0x60066f6c396ec27b},
            {0x9a966b6ce1289e40, 0xea50e1e847b64001, 0xa0a337d42392f659, 0x3086fbeb2b78d40b},
            {0x08ce88ed3eecc119, 0x6acd657d712cb2d5, 0x64f763de49a0d260, 0x54e1c38a86c439b2},
        },
        {
            {0xe7ff1616ca9d4190, 0x4ed7f6334ba84550, 0x493fa57ad7f4b5d9, 0x50045c3a4dae735e},
            {0x7b5953dc7e6e088f, 0xcfb66b5c26ffd49a, 0x81d335faa760e157, 0x1f6134b31a160753},
            {0xde42aa7117d1a9eb, 0xf3fc8b8e8b60e087, 0xa43104a2f8052d75, 0x27ead284069db9ed},
        },
        {
            {0x117c2553be15e311, 0x04b56370d389bc08, 0xf274e70af52c981a, 0x6e39d689ec6fc744},
            {0xd09dfa8c99204cf8, 0x8e8d6ad0ee83ccc2, 0xcde0e9e4fdf996af, 0x794a1e11f510bb80},
            {0xc37341e33ec39d91, 0x4dd2139c5f8c8e20, 0x57888828ca935a18, 0x68d43dafc5ef6e5d},
        },
        {
            {0x7b74b10695937924, 0x99e44d6ba7302cfb, 0xc644d4d35d1767f9, 0x0b7a8030b3409a21},
            {0xf7f261df4938c3c7, 0x9929022cb05e3ac6, 0x745350b2475e43c5, 0x2bb618355008d2c3},
            {0xc75bab1d9360b598, 0x5fc04554dba390c0, 0x3c1a222e8d66bd72, 0x0122c330e03685bc},
        },
        {
            {0x5221c9dd69fcf015, 0xba26b9e43d49937d, 0xab1a11c71786daf5, 0x4a1ba534740bfff9},
            {0x15a8759ddfbc7e95, 0x588e0d30ff09c3b6, 0x8d9955c342af18d9, 0x35c47256db735437},
            {0x2a11a596b1f7ba7e, 0x4874b3036714dc68, 0x400c3bac7ab963c1, 0x2e05b69de7d62531},
        },
        {
            {0x4c89158c661478d5, 0xf07c69bfb4e416d2, 0x40aa7a57b27705e5, 0x6eded561ad93281d},
            {0xa9b0235c7bbc4c80, 0x18a2a9da5a133855, 0x05caf591fe9af540, 0x10db74f95a4f12b2},
            {0x869dbfdffd8a9ad4, 0xa82541e6e96346ba, 0x03826b7442288595, 0x5520c77b5bf648bc},
        },
        {
            {0xa7271899744a8466, 0xaa14c369f92f9667, 0x1d37033d57608042, 0x3be712042c5e7c0b},
            {0xa72a02a25f7350fa, 0x8101ca1bdb9ea154, 0x619ee6880a83d367, 0x2015421982c0d34b},
            {0xd6f4e2ddf0e218e4, 0x9459f70d9883a741, 0x510f52cbd714ced2, 0x31f9e5ea16a2863a},
        },
        {
            {0x45cf22e03045086a, 0x7cf365ddb6cc289c, 0x5fa2daa4ebdada56, 0x55912ea863e553f5},
            {0x77a82b91b55606d9, 0xed36751315be71ba, 0xc0ecf9a433cda244, 0x145d96a938305493},
            {0x6a117ffc2f968a17, 0x6b1fb4588320a36a, 0x280be19b024604dd, 0x19b65802bf8c1c69},
        },
        {
            {0xe4e9d7be1bc47bdb, 0x5e2ba61ae6ae4c67, 0x44ef9289f4e9e738, 0x36bc77b7cee755a2},
            {0xc557b5113453aafe, 0x394437f973e50a52, 0x0dcebc10a1d51379, 0x60fa18a7898ed62e},
            {0xcab6438acdda86f4, 0x6a10614b396f392e, 0x1bd60e32f296a0e7, 0x43c5a2c5695a756f},
        },
        {
            {0x767368f3740cd004, 0x3670461fc08a0337, 0xc80121ff64209aaf, 0x03a7d447e36e34f5},
            {0x0089e61c4cd242c9, 0xa5256c068b505ba9, 0x2aef0c46cf577a25, 0x2be71084a0e87008},
            {0xc6660abfd9a3f471, 0x1de6d4092163e4ed, 0x1f69e6d64a79d0f7, 0x174ed88823ee60ea},
        },
    },
    {
        {
            {0xeb99824ccf5c54a8, 0x27d4063ac7fef7a4, 0x7df924ec52e64d09, 0x1e6dd473b37dfbdc},
            {0xa4235253c9aa8243, 0x1a2bc51db432fe73, 0x1c0819562b314214, 0x339faf47b27270f4},
            {0xd2469a04c0145c01, 0x08a0359e35f8db40, 0xee2eb3a0a427fa25, 0x2fd0a8a702b9dbbc},
        },
        {
            {0xb77dfe48c8df100d, 0xaddefde24b4362c3, 0xd57400b812ac68ba, 0x721071eeb699a4c2},
            {0xafa9e93f5b195ffa, 0xe8fe78aaf3eac676, 0x31afa8051222caae, 0x2820fba521737dc3},
            {0x08aac1aff79047a3, 0xae733ec1b7b025aa, 0xbac48e9290bb71c2, 0x2e365e13c309f296},
        },
        {
            {0x2c6495ea7770c7cd, 0x159a52e3f9fdcf13, 0x45348761ddfdcf95, 0x5c544522a3442db9},
            {0x49648565cbba1925, 0xd3df000ec55e4a36, 0x354c2689b51b9c3c, 0x5b396f8147fa310a},
            {0xb4960a539f789c21, 0x4da5f4a15d72c9a0, 0x4e217171f48fc6c1, 0x1117f0b85268f97c},
        },
        {
            {0x0e0c9c4e6500b5d8, 0x80369ed4affd15ee, 0x4b11635715740cdb, 0x10f20be10799e4d3},
            {0x50835ecccd991372, 0xd61d005880bc4951, 0xd28a54f8eceb4cbe, 0x070944d32dfb4210},
            {0xd5147bb7ad871dfc, 0xea5ac320371f98dd, 0x82a6439475b44f71, 0x74951e70c53804ca},
        },
        {
            {0x39444cf3bc673112, 0xaee1dafa143bffa9, 0x307c6b445301a7af, 0x6180f73ec3b63e7b},
            {0xc1bb7777dbd5a1a2, 0xa2a35db04978fab5, 0x13d88dabd2d37f79, 0x768de55e47319dc1},
            {0xd1625d3c6b602b50, 0xbf2f88aa9075580a, 0xd9317200c3b27cad, 0x4496534817eb4d6e},
        },
        {
            {0xbd5d382403cad2a0, 0x468074a0317ed8ac, 0xbc0337163693a32e, 0x771c6be934613c6a},
            {0xb78cc530c219acbd, 0xb553a0cec744d4b5, 0x4df5dda38ca2d32e, 0x49e33e64ddb162f8},
            {0x6c1318339b9e52b2, 0xf9829a8023c4ef91, 0xa5d09c17fcb4a57d, 0x495f93e5d0269df2},
        },
        {
            {0x60f331cfa2b7b93f, 0x7e722cd29d0069dc, 0x5d92701381e631a8, 0x4a59de1eb3e79929},
            {0xe342a60c52993af6, 0x708e1c4a8b576951, 0x1392277d64a71373, 0x3ffd2084cb56e9dd},
            {0xbc889ebf998fd87b, 0x57536dfd223d2554, 0x45099f1eed5c2762, 0x1147845095baa6dd},
        },
        {
            {0x9633f61b7edbea9b, 0xadba68ea0b0d0c96, 0x47f1113cc632062c, 0x76de50212c56c213},
            {0xa91c0ce4e71ff3c7, 0xcd835477aa3acf28, 0xaa99411192830203, 0x46c3c4cf0f6a1b8b},
            {0x7634562bd653a82c, 0x456370d1bf8dcf1e, 0xf47b9f608f04b1c6, 0x204dfaa569fce9f4},
        },
        {
            {0x92e3fa94c8397b4a, 0xb19f0afee1479a6a, 0xaf11008c3b66a008, 0x1d8f2fa519019ba1},
            {0xcae4d376389f1c17, 0xe61f5af61cb3df84, 0xc145cbd05321f6be, 0x2c131ae2122ef6b0},
            {0x338692888f7e6a00, 0x7803ebc4f931822c, 0xf1928218a7bc57d5, 0x05b7f8cc0880b103},
        },
        {
            {0xdc3ea8690aa40693, 0x165d16db07c98ba0, 0xf58bd54235a6d768, 0x2a7ffcb1c2ee200f},
            {0xcd8f4d7e3505e011, 0x017658409131720e, 0xa3cb8a54450c3272, 0x240223b12fca844d},
            {0x5e4783f9223a33cd, 0x3f5b20943de17c53, 0xaff37e9ac3bb57dc, 0x5e1f28f91d73857d},
        },
        {
            {0xa846e0b4390b3652, 0x09477a414404e5de, 0xc6edad8bae9f9037, 0x71a971994b0e18b1},
            {0xd951e5f7b6daea9d, 0x670bd5e554d8bf68, 0x88d052688b65c787, 0x4847a0d7a2067611},
            {0x9b1ec90fe287c20a, 0x8eec150563b524f5, 0xd4d9e9ff3f853718, 0x7995c48ff48ad9b1},
        },
        {
            {0x468c7b520f5ef59d, 0xb0b0ecfe8c67dd27, 0x1af7316046bcc3d4, 0x2865d9c96f5e1fcd},
            {0xcc87a6a041578c76, 0xcf2f348be5c3ede0, 0x5c72295affb3d2eb, 0x4ddac5e54313bb1d},
            {0x818a750f4c070818, 0x5ebee7979580ee5a, 0x8afe368c4bc1f65a, 0x360aa9e209a108f6},
        },
        {
            {0x29b84fa33b1693da, 0xe5ada937376f321a, 0x46099b35ffb0d382, 0x3c27728f145ee21f},
            {0x122d8856e1972d87, 0x8e8057d5005d829b, 0x364e2c38f45703a6, 0x407ea5f334441b66},
            {0x4e7a6023caeab0e9, 0x66368937081dfd08, 0xfb5817994eded0a4, 0x719ac283a7b5f8a3},
        },
        {
            {0x452de42314c366a0, 0x1aa77a292bbad7ec, 0x7cb239aa41e5e019, 0x0e95ea53325dac5e},
            {0xbb8dc388a3c63dcf, 0xab6ceda09cee4951, 0x05083890c1ca178d, 0x76091c63eff10984},
            {0xfb8f701b3cd63739, 0x77665f9830a4b465, 0x23cb6d27e5ff4a7d, 0x3d1ad2ab37d675ec},
        },
        {
            {0xdd7a1d97cdd612f3, 0x610f07306c66408a, 0x96a39fb253bf6e3e, 0x623c5e428a687592},
            {0x7d1a02d384e9f94e, 0xb0b2a819e6390831, 0xd1ea8e6046a45afc, 0x4aa93fc37fa12444},
            {0xb7c36500db755637, 0xed28b453424d9094, 0xce8d5de84220f795, 0x4ebc58f877d6c90b},
        },
        {
            {0xae649f6e7a5f68c0, 0x11174020e3c5f465, 0x9e4b6d5f1e35b506, 0x1e19822cdbe6fc3e},
            {0x7ec3ad1491d04e79, 0xc9f73d4c58b3e5be, 0x86b19fb751d5b02b, 0x688588b94306e594},
            {0x4d76591c2201418b, 0xc637ce2928d3be0a, 0x00879b55cb471310, 0x07656aab7a8dbef1},
        },
    },
    {
        {
            {0x4b5dc63f4ad68a12, 0x5ab5284d3b91ceb5, 0xec77c8e5c5a53dab, 0x77b9c92362d2b58a},
            {0xbf934763a1007632, 0x28ab0b67cced01a1, 0x58ab4304a3dbe369, 0x6594a9a202362451},
            {0x70900ade372e8d48, 0xa5ec4ed0931558f9, 0xcd34863b2de27360, 0x5e18c6c7677949c2},
        },
        {
            {0xba86234578234015, 0xd9516af2be2a47bb, 0x4dfdd7285ac5f97d, 0x1cedfb8f2891d9e0},
            {0xa23c2950e248727a, 0xe009a05ca7da664f, 0x22c7f2bc7a6f29bd, 0x335b08aad9367963},
            {0x9fd8ee747f44f0fb, 0x8b2f7dafee477004, 0x5c6876d0cbcd9759, 0x40a3834689649a8c},
        },
        {
            {0xfdf87cd72550de4a, 0x4858ae5db9792355, 0xef046e95f2994f34, 0x2a175c4d00d247d9},
            {0xe9c394293a365499, 0x222801884a0b6b5c, 0x02e60b982a7cc05d, 0x5c42bfce34dd911e},
            {0x24f1fd7f667e2e3d, 0x2518b0cdf259d347, 0x54177a1e62f012ee, 0x1a7ce44683bf6cf0},
        },
        {
            {0xee3dabe5ef941d9f, 0xf345bd893512e064, 0x3125d852cdf11517, 0x287179f9491b1630},
            {0x4ce23fa7c60c75ba, 0x493735d768d939eb, 0x4281bbdf1004538d, 0x03935fe0a3a42ffb},
            {0xeea6f5aa6b828dc1, 0xf9796ca76e2c22fd, 0x787de4a423472702, 0x5ce4120fd18bda33},
        },
        {
            {0x3f7176640cd20fe2, 0x4f193d01dded2338, 0x1e27c1e3e3106044, 0x041f23dc81d922c2},
            {0x289057149d8e6a3c, 0x933d72adbcdf4db5, 0x210e244db1e0bdd9, 0x7376a348ac806e22},
            {0x256cfa2a73ac0790, 0xe3e62cb6cb3a7722, 0x84e8d3fafdbe96d0, 0x5ae40036747abb0d},
        },
        {
            {0x0b73d3b2db8526fc, 0x322ecedbb8e5c9bb, 0xd6fdd30d5987a7cc, 0x524332a72f48c0e4},
            {0x452c561b9d36ec33, 0xbc69cff4defc6269, 0x0b09922ee3d74f63, 0x657922f67adca429},
            {0xc9d4a47f8dcee057, 0xc85573ae218abc9b, 0x7baae393bb25c4c2, 0x5fa7e6ad3e9cfa52},
        },
        {
            {0xc200889febe10bd8, 0x2b36d7d300e3d437, 0xe6780ece7d70f800, 0x309d2cae0be8b8ac},
            {0x638b79e03f7a47c6, 0xe9e4ed8c0f49c966, 0x7799c9eff43d2f85, 0x61167d28bd25e7a3},
            {0xab0243336ce04d79, 0x20e5e1d58c3744c4, 0x2be89d96a84d3918, 0x75b90a4dfdd4fcc8},
        },
        {
            {0xf74356743cf98f3d, 0xe896640808d118a8, 0x27292caacbb45ad2, 0x19c18cd295ed901f},
            {0x55913bbbea686134, 0x7f1581b68fca1357, 0xd9a577f99348050c, 0x047c8aefaa502a35},
            {0x4e7201cae47da382, 0xe03b60c6ac02e0b4, 0xeec0dd449752c6fa, 0x3ce7a4f13f5c241c},
        },
        {
            {0xff67254f35553581, 0x678cd9e54b8b3fe3, 0x57922f23744de471, 0x79a65cfbb8dc6528},
            {0x32756f5763a885d4, 0x439f89246973052d, 0x569cefa465af35da, 0x4e7723ca2e609a03},
            {0x61f4e7c6e3e277fe, 0xe02c201f4e44d618, 0xc41f4a1d4a77db18, 0x1a8837a50edb9ce7},
        },
        {
            {0x307130a12a9e2352, 0x94be16f247b1276b, 0xce2c2394f390a89e, 0x6c6dc17f1c86c3ae},
            {0xd3642cbf12deb057, 0x86f05407b5f87923, 0xf70cbaf0a55ba527, 0x027f4219e3c55d91},
            {0xfae1b1558a97092d, 0x60355b2fb5b7416d, 0x87f80dfad3e51f6c, 0x30b86e4a0abf17c1},
        },
        {
            {0x46ff892820bf726c, 0x94d7c76d958629ae, 0x68c94e22bc033aaa, 0x3d2ab27da7110318},
            {0x63711288385e20a0, 0x8ce44384b4b627d3, 0xc910920c96aa1fe5, 0x660b60bbc2cbb120},
            {0xd71846e98bdcf2f9, 0x9539e8ad2dd37d17, 0xa80eb8699856d56b, 0x312c92ea17323d05},
        },
        {
            {0x8be0396d09c74e1a, 0x8a21b2b1ce3f2069, 0x679925d969421156, 0x30606524162aa2fb},
            {0x3f92f930cb5e37f2, 0x177275fb61b72754, 0x1732973cca3e0a8b, 0x4c5358d14944e2ec},
            {0xa5ac46c32f4d5f54, 0xdd638d94fbd5c542, 0x239d1b7add64f5fb, 0x54bad05dc32d83fb},
        },
        {
            {0x265408e41824a6b7, 0xf54d82d20bc552a9, 0xeef401fdc91ec32c, 0x179a76ba39b0b70c},
            {0xb278ee1da9375c69, 0xef68eae0c4a34d6f, 0x5c73db76f9028432, 0x426c4a990c9333a9},
            {0xf9a59ebb8f454c41, 0x14e1f55aaf560727, 0x28a00981468b5a0a, 0x1209d31eed426465},
        },
        {
            {0xf577593866e69daf, 0xdcebcdcb5e594bb4, 0x11f0776ca6b957cc, 0x287060e4a32b5ce8},
            {0xcb082fb1e3aa92b6, 0x1617518de4047f8c, 0xa22552a66676b097, 0x6f702bce6dcf4bc6},
            {0xfa259c6e7fcef17f, 0xda10029647a3afd0, 0x78a22784e330eeb4, 0x260f5b3966fc2988},
        },
        {
            {0x955cba18c079af35, 0x902160ef07fed525, 0x39d545bd054f47e3, 0x41243c2c0437d51e},
            {0x1feaaf47e58d6f7a, 0xe4eef622ec5f011a, 0xd50e583f3c18a7f0, 0x46e4312b1258d0af},
            {0x4816eebb437c3ecd, 0x383a5c863feca26a, 0x63e2a98a56b64755, 0x7d4fff10a3834692},
        },
        {
            {0xfad1c380f9e3c68a, 0x5c316ca18e6bb612, 0x7bb2fee32a31e45e, 0x45192697dfc1d9cc},
            {0xffb8a5bb9341877b, 0xb24238fee4fad2db, 0x31569a80b2fcedc8, 0x283f05e93d59b491},
            {0x2db78efeebb0be3a, 0x6b7a6c64c1e90577, 0x2935329c9f816e62, 0x245c810a7f0d9406},
        },
    },
    {
        {
            {0xa07113981c77ac3b, 0x50266d21527dd93d, 0xde562ea008139000, 0x2062218d60659f4d},
            {0xd03e6c5809c33e3d, 0x9ae219ea4f51156a, 0x563eb0bd4cb543d9, 0x79168534d7850681},
            {0xf8c48d5838f52352, 0x1e0ae3f59cfdb147, 0xc7b583c665abf996, 0x3faa2645ebe02e65},
        },
        {
            {0x89539e22075d259d, 0x51613e039debc9eb, 0xa4bea4e8b8be1459, 0x7dda073c3deaa40d},
            {0xed5e1230fb4de89f, 0x5ce65af92d3f7ae2, 0x236fa28b3ecfe01f, 0x59259f1d28b132df},
            {0xd803cae3fcff9071, 0xb47e1178c19e49c2, 0xfd02b513f8d1bf55, 0x5005b82f00cbcf31},
        },
        {
            {0x94da4fd977614348, 0x6fd3fbfad2e84b22, 0xbe833a3becc154e5, 0x1876dc8abe9036ad},
            {0xe9c58ffcc6d5f290, 0x0083dbf57cb145f9, 0x185f9a4289f5a104, 0x50f5d284f62a2b0b},
            {0x2dad47529e3923ea, 0xce982e3d0092c807, 0x405acabce7793a72, 0x468a39faba777cbe},
        },
        {
            {0xef227f7c8b49bbc2, 0xc9f8aa7e8168f3fe, 0xb10b3a106bbf4119, 0x076a65a42d826fec},
            {0x167055a66353bc33, 0xd827862c72bf95f3, 0x817495804e68b827, 0x05296b01e437cafc},
            {0x23327fc5c0c5fad4, 0x8d9d595d63b3d394, 0xa5b9989c38c4a86d, 0x285d6b17b7ffd9dc},
        },
        {
            {0xd7cc1cda3ca9266d, 0xa11b215c9ec0089e, 0xca5f898ba8db1afa, 0x0ffb302c3185be20},
            {0xfb37202a5c046f54, 0xd3c4644f949927a1, 0x1529b3f8733fe100, 0x70ff99dff462e48f},
            {0x41ac20e6e56dd489, 0x002ac2ced1d7c3ba, 0xbbdd8d915f088d9b, 0x36223714e8454018},
        },
        {
            {0xf6899383d3bafc18, 0xc8145f7ad2820138, 0xdf352c97d5b6762e, 0x352fb27ec83fcc3f},
            {0x046278c459febd9e, 0xa3ff584178c506f6, 0xde92367bd4446b7d, 0x4089cad99aa26e90},
            {0xc8ef5592d4522f53, 0x8576f546d3914a84, 0xcdeecde3a4f69e4b, 0x463f77b31aac552e},
        },
        {
            {0xca9627fb480f506b, 0xe098ad730f76eea0, 0x154c6e94f737f941, 0x78778bd057abef37},
            {0x38d130a585a8f6a0, 0xe36e2ac8daa6109d, 0x5184981c4d1bfea1, 0x332bee55f0953f60},
            {0x5b66edec4b0084fc, 0x70477e42856e330f, 0xe64c6536f5247dde, 0x437853ef3b7a94f3},
        },
        {
            {0x261c3949da1d85c0, 0x5aa01cd0c4f831e4, 0xabf1087f2a26c10a, 0x383f16ec09bcf997},
            {0xeaa10b3fa2ccd1a1, 0xfbd3b7960a66ce43, 0x9e8c6527ac31875f, 0x31d9acba972f6553},
            {0x920f612a9a12afcd, 0xee9b17240dd51b63, 0x9501cea873116783, 0x6d866a2d7bc40cfd},
        },
        {
            {0xec110920361edc9c, 0xdc510d9592c27a82, 0xa43ca3977fb03f6a, 0x5e763ec593414b39},
            {0x2e2a4fc41ea82ac7, 0x7bfad9cc7cdd95b4, 0xee416da2a8344097, 0x4f5db42fcfc405cf},
            {0xf96093e28defdf4c, 0x1bfe4dc324c633d6, 0x5ac6aa9a6a0c8bb5, 0x3bbacd515b873e56},
        },
        {
            {0x11ba5a40e5938eac, 0xc4159b4ee8a55acd, 0x5e10b31fb4e23aee, 0x2500168e493806e8},
            {0xee1147cb4e9d068b, 0x42db5793199e6201, 0x37202376345fea0d, 0x0972889f361d1cba},
            {0xe0cfe9761d1a2266, 0x3b0214fd32542364, 0xbda9a86873eadb62, 0x0f129ae8b430c916},
        },
        {
            {0xe92ac519acb3d301, 0x80e3aa88e03d58ca, 0x1119bd364f41d099, 0x1ca584d9ba0ebbd9},
            {0x536903101ffdd558, 0x4a0e5dd9b2b479c5, 0x422c403dd6f0ac5c, 0x5054dade8b6e7e4f},
            {0x7de23cc9b029be25, 0x5f5e5afc5527a899, 0x49be5a305c2a199a, 0x283620cc7138e087},
        },
        {
            {0xbaee2f136533e0e8, 0xfb16a83062daffa4, 0x44c0e7906c5f3783, 0x3874435ea6f29e66},
            {0x60c3eb71c1a3ffdc, 0x161bb6f0a8ed43aa, 0xab7475d78a799644, 0x0ca7b10b63aa6fce},
            {0x27213bf8447c250c, 0x7d7e84f3a3a8f088, 0x4028c2f1c6a97854, 0x0e27bf4d1b8cb3a0},
        },
        {
            {0x23516aedcc0343f8, 0x5c607e3d3b431a1d, 0x0dfa706dd320da30, 0x59377e3859e48b6f},
            {0x0c8944335cbcdd4d, 0xaa93551c7634cab3, 0xc41d618a971bf391, 0x5d200def86832cea},
            {0xe69aac562f7c71d8, 0x93e3c0e43eb372ac, 0xf1bfb7945bb58d14, 0x0e217ae9926a87cd},
        },
        {
            {0x58fe4d43fff061f0, 0x220748d4aafd02fd, 0x5904557a3a837457, 0x188b8190408218c0},
            {0x5ffeaa609c6b4042, 0x0a67860686829a06, 0xb0070c4e498260bf, 0x3386c78c2bdfe82d},
            {0x293ab9c044b61120, 0x646cd391c7ab7f50, 0xd63ae8b30bd660eb, 0x151e3644b0ffc40c},
        },
        {
            {0xf1a4093ad0c9da1b, 0xba91d1df760ddf97, 0xb357f2e597690f01, 0x5717316f9dbbb9d4},
            {0x9bbca43a20a4ad66, 0xc3a81075a5d4b08d, 0x85a16bac8f1a7c84, 0x6bc64fa8c2010805},
            {0x8311107852f0cacd, 0x7b1f9ce187a43f26, 0x3c0b50d14ce87dd7, 0x31761c87104feefb},
        },
        {
            {0xce85f9b376b4238c, 0x9aeea9128ba5286b, 0xf90e9c71878dfc80, 0x7280044c35a523ab},
            {0x90cd1f9ef67d1d80, 0x5c9ec621c817fb11, 0x54d6c1eabe98a063, 0x368dd93f874b90bc},
            {0xcad4621ffef5ad1a, 0xf3c24a02b901224a, 0x6a21d2516c19f987, 0x65cf15cd25434692},
        },
    },
    {
        {
            {0x3664951c56156caa, 0xf09db969aa06368c, 0x1119210aedcd6b9a, 0x3a3d90633f9de1b2},
            {0x7af5daa9c6d1c742, 0x938a9ef6365a6675, 0xec9a61b5e228cfec, 0x0f2495aae95e1fee},
            {0x2ba39f958d71ba84, 0x341d2d4b375852d6, 0xaa14d781acc66f61, 0x16297f6000315a79},
        },
        {
            {0x758b371989cd1011, 0x03346f9034396023, 0xb2551a147efdb62f, 0x69adb6782d5ae541},
            {0xbcd241cc5e9bfd80, 0xe87c652b044c6092, 0xedb24995911526ac, 0x2da33afcbc4e01b0},
            {0x19572ecb796f76b9, 0x5efc213bc61d00d7, 0xc99bf652e7c68a5c, 0x4e8f291c2c1e8d4b},
        },
        {
            {0xd3ec93d5e1f0e2bc, 0xbf9fa5ccc0ea21e9, 0x983a8c919eed2732, 0x512f4c9b06a00ef6},
            {0x95ee6fd703835777, 0x6a56feb8ccaead5c, 0x1327495a99d59cb5, 0x31ebbbc8058259d7},
            {0xaf3f4f6ce0f5f1c8, 0x5b8b5f62f34d989d, 0x448b20affdac241f, 0x04ae9173cdb97f81},
        },
        {
            {0xc2c38e45b1b5e971, 0xf5d74783fea19b4b, 0x753a0654ccb92021, 0x33452a6dd2906198},
            {0x093e335de7992c34, 0x7e1af42a7cbdf247, 0x5a21909c4585714b, 0x6cfb620d12c0b2be},
            {0x553a40f336ec5b61, 0xe52c7eb35926a1da, 0xc6526b66512a89cc, 0x0135c00160c5da70},
        },
        {
            {0x9b4ebe33c8176bb2, 0x45548f804de006ab, 0x46840e19b02387ef, 0x7e7d1bb9af4a050c},
            {0xfc3fd6cb5695b3ee, 0x7a74e560ea76a637, 0x5ac8c841b35fc36a, 0x2588aecdce76ac29},
            {0x253fac89851ef82f, 0x64a47703f6686873, 0xc56522a1e601db3c, 0x3ed8afd6b5ae6db2},
        },
        {
            {0xc93a4b148c13d5f1, 0xf6b299da0a7484e2, 0x427001f840d309f9, 0x4ba8eec1be9e5c89},
            {0x03cbcd4973ed0c30, 0xc7c22b45f1baab03, 0xcc5006cd9dfcc740, 0x579632d1aac2ba4e},
            {0xa4ad767b99d11e01, 0x43ebfda967fffc9c, 0x0e62348e9bd9a8e3, 0x0d97f603a63715ef},
        },
        {
            {0x47e62ae8d066e8a9, 0xfe3c2daf4e99eb7e, 0x877694bf04d494d2, 0x75a512cf4c4ee7e2},
            {0x97526b92ab9d8f2c, 0x2763407be736c964, 0x2047f7603c3a1d58, 0x23ab132303c54881},
            {0x3c986c12fc5c69c1, 0xf76d2ee938983020, 0x3ac4667b237365cf, 0x64f407266b22cc96},
        },
        {
            {0xe30471db2866613e, 0x453ea663f7190513, 0xa6cfbfaaa5cbd84a, 0x1684067e701f410b},
            {0xd343bcda9700702d, 0x0dd7205566bef537, 0x4f1339c20b1eae37, 0x1325fb4dfc8fbc1d},
            {0x53c267356c98d9aa, 0xc79f21a4324f5089, 0x36aa7c4cb4d64355, 0x51cc64952768e727},
        },
        {
            {0xa4204e9c7c1eba92, 0xcedda863eba91ee4, 0x8f47043370f19d00, 0x5523aae1884a3af2},
            {0xa00337d2e96281f0, 0xa768e7b892ffa857, 0xa7e1815a4ad16cf8, 0x33b512905541f04c},
            {0xb703815dc0fb2b0e, 0x0755f34298a99509, 0x0022f44a765bdf16, 0x6506fdbb12dd3e42},
        },
        {
            {0x6ac0855b465f8926, 0xa1e0d12ad5dde2d6, 0x64290b674b9d38f8, 0x0d0ff6d109a35cb3},
            {0x71b76e273ea3ea14, 0x932cb56b373c31a2, 0x75f71c765da00e15, 0x30e262f183909913},
            {0xddbc3c1b23c6ae7b, 0x19238eaace9acf54, 0x795de88f3aedb7a3, 0x5e6f80985f94b07f},
        },
        {
            {0x70e824d6e46da527, 0x148ab997de55ba5b, 0x93bc43f169ee4eff, 0x05822ffc6fec7c3b},
            {0x987e832de41ee308, 0xb0f4f6e161772b78, 0x7d77b8c989aec32e, 0x41c5726a1a203b53},
            {0xa3c47cd55ef34720, 0x255dabf329c5d025, 0x5f1238849a255429, 0x40e0d5fc24fa5b12},
        },
        {
            {0x456c320e422c5bbd, 0x839c46ab82ae8b72, 0x4b34388bcc49f9a1, 0x2ac33b6ecf4af743},
            {0x79256b6949ea0967, 0x223c517b006ba04d, 0x7043c86c15dc72ea, 0x2e02338cfa179baf},
            {0x51949a1017c5f3a2, 0xa10367518f218b82, 0xbcfbeae0043c4983, 0x35dad8a9e884ddc5},
        },
        {
            {0xd324f9dd4c21e4ba, 0x2ced33f6e52ade2e, 0xe860df39cfb93dd4, 0x1b74598a961a30b4},
            {0x6b5b1083486a5e5c, 0x5a3363963ef0b75f, 0x0c444dc4751632dd, 0x2c05241ced9d9eb3},
            {0xb61607fcf5754100, 0xf28f53cff0b53e6e, 0x6ea6a6d4c8562040, 0x3e21da588f3109f1},
        },
        {
            {0xa21a929c3256c372, 0x55e7a68dda2afb23, 0xd0b0a95f310dd6df, 0x095c24bf160caf2c},
            {0x196a288f470e862c, 0xce746e08b35c08ec, 0x0c7a5998afcbb9b8, 0x0dbce0875f123e06},
            {0x35525326c2975739, 0xd02aebb522bb4981, 0x355ee87dc0c9ce4d, 0x69a75a176ccd6859},
        },
        {
            {0x2e0ef49876fd3eb9, 0x77de31e2e87b4090, 0x66213494688b7832, 0x43a25db882f74297},
            {0xfb0d703be86ef5f6, 0x4335aecbd7c60c8f, 0x78aabf08b30306b5, 0x30e19970353bd500},
            {0x42163b42f16781a1, 0x0694d671592996d9, 0x43a8458d76276204, 0x2fa0b9d541975677},
        },
        {
            {0xd40fda5aca9529bb, 0x68a508ef1ec3f56b, 0xe349b11239fffb36, 0x4e551b748baffec4},
            {0xcf2d4e1e1ebceb1c, 0xaed660b0769c70ba, 0x35ad84a8b3c3a7e6, 0x22bcf795873aa09f},
            {0xef4463bd1a2e68d9, 0xdcd679add26316c4, 0xc35fa906d9ae55c3, 0x7a1cad6c66fab35a},
        },
    },
    {
        {
            {0x8db17f9ad56ac4f9, 0x9d3261b291164171, 0xf9ff83ab12f8372f, 0x18e1646d5d82dd00},
            {0x73445f4e8e1f9461, 0x71704e35f93ed9e1, 0xdada7031a8f72ba8, 0x37324fe26c4bcbca},
            {0x6411b993866bdbc5, 0xe8a75d3c97e42f3c, 0x308d8bf5ce40dba4, 0x1fbc98e5e29bc136},
        },
        {
            {0xfc12e473c3b52be2, 0x62c81e93adebb025, 0xcab9a132ab984adf, 0x123328e82e90081f},
            {0x247d34af424c21b5, 0xd156ad5e83758802, 0xf07621ce891311df, 0x4e5dcc083111ea98},
            {0x61e57165cee8b981, 0xd493b06dad0fd986, 0xfe3382ec5f8a4ec0, 0x29194c827534e895},
        },
        {
            {0xa173944a57a1465b, 0xd67c7531e6662adb, 0x5017f4365f23c289, 0x4e933596fcc45ccd},
            {0xbe0355a06d5f4436, 0x8266e6086979f7ff, 0x186729ed9017fc47, 0x6285b54ddf7c09a7},
            {0x051a8fa81ab870fe, 0xddddff09b6bc407e, 0xb302ed30d63f72cc, 0x67a06abe37332ade},
        },
        {
            {0x115502bfef710c86, 0xb72f8eaae27d18b5, 0xeee1691227293f42, 0x49ad8ad34798c045},
            {0x30ad016311e9b762, 0xf721ea8043030a75, 0x91c146f2f4cc8b5a, 0x2210e636419632ee},
            {0xe1ca8099da5998f3, 0x91c8ca8f74304fb3, 0x0c6d7ee5c74de849, 0x3af21c20c5bc0679},
        },
        {
            {0xee45f21cedfd3016, 0x0e5e31bb99c6f8ee, 0xf509485f2ea18398, 0x08274179fe44ec95},
            {0x51bb3b8168cc47cb, 0xa7b6b1e8b49f4a9e, 0x1fb07021da994636, 0x10285fbe87738cb0},
            {0x0822f053d6e33d30, 0x5995686e14855d72, 0xdd88d2ae64fb7441, 0x173953a337984f22},
        },
        {
            {0x67f552926c650ada, 0xd8636c8d2263e8c8, 0xa920434aab76c91f, 0x1b588d9a3c4169e5},
            {0x136a814eaa77ac49, 0x0ff5054ee4681eab, 0x3e3d401254bb5d2f, 0x725f6b8299359b50},
            {0x477de01fc30fb199, 0xf166f48fd217dba4, 0xd74522dd51c3c645, 0x29f4cc85785843c9},
        },
        {
            {0xaee6f266d453513f, 0xddd2fb371e0461ef, 0x39bb744690bd81d7, 0x544e803e9063649b},
            {0x0a58587dba20fccf, 0xc1b7cbde6e399920, 0xae0e94935cbc8b35, 0x5b51ac62acb523a1},
            {0xc518e03dc7f9f745, 0x865ee47f3c1d6ace, 0xfb9a0d85de72453a, 0x583ac034ac7a6e8d},
        },
        {
            {0x32276af00d36d726, 0xde9dee13b48da95d, 0x6fc517d36faba869, 0x1e1ee9899464e55f},
            {0x0611d7d48698af8c, 0x9bec657f2e1cd4f3, 0xc94a5389f405a633, 0x4bc898fc08edc9c0},
            {0x675f0a40b1666bd9, 0x72fe57615b3d7816, 0xc879fd2a2a43dc04, 0x7ee0c75d4cef9829},
        },
        {
            {0x3a2744171fd87e55, 0x41514d1606003204, 0x482eb725c436bcb1, 0x61ec84a86a69db55},
            {0xaac21978ea574c70, 0x5248d7cf62e61f92, 0x5f4efab72cb149e9, 0x10cd807f0877b7eb},
            {0xb6da1be6da748eb4, 0x21b15bf1650031ee, 0xdf5eef448a03046e, 0x317349768c670e37},
        },
        {
            {0x08d0a901d9d79019, 0x99cd53945f2185e0, 0x8976067ea66ce86f, 0x51d110de88505c52},
            {0x55d887bf5cdea1b5, 0xbb069ba5f6b11588, 0x1dcac7f835c7e524, 0x51262384afde227b},
            {0xc906e5403c251a3b, 0x66b0cfcc64da3f89, 0xf1fe5e32475597af, 0x4fb1672f2d47967a},
        },
        {
            {0x368dc800780e6ef2, 0x7637dbfe4ef80198, 0xbeafb401e4cacaf3, 0x704add141512e0b7},
            {0xd36eafdf417d05ca, 0x63ff71cff790e01a, 0xd0b5d69567d109eb, 0x71a0fbb9932f2719},
            {0x97673976e26edde3, 0xcbc10a26282fdfc7, 0x650804537b62b075, 0x6aa7869150238ff6},
        },
        {
            {0x44748b6f53866639, 0x5f4cbce1c207bcfd, 0xf2b3ba6e5f6ed172, 0x07692cb5219851e1},
            {0xa04434c423b1d983, 0x570fa4ed9acedd1e, 0x0d12b7a591bb4139, 0x0f98f3df85704261},
            {0xf5137c0aedd5f5c5, 0xa602f30f4bdbc4ea, 0x3b0a5580dde9b9d8, 0x2c764fe5758021d0},
        },
        {
            {0xac693eeb48335986, 0xa7d417d42c6299dc, 0xeebe2c25f00a84fa, 0x2353a8462bec6c10},
            {0x73a2a6af7406fc14, 0xf0cf5aeffb8b8171, 0x3d9de72d75d4a0ca, 0x08dffb4499490364},
            {0xde02e87687776290, 0x7fc4cfbfc2b8ade5, 0xbc7650b9a309e0d1, 0x21d4b0168f9d9570},
        },
        {
            {0xec822d88b1fceb0a, 0xf16e701b45257e70, 0xf992aa64f7273c83, 0x5975ac57629d0faa},
            {0x8b683d302e6c4019, 0x504e6bd46abb13d6, 0xe79e3ae62c81425e, 0x2638dd398b6235e8},
            {0x43a11ff9180a0101, 0xb4349d098055569f, 0xfc366803675dca3e, 0x2b279eca27dcc4bc},
        },
        {
            {0x4f1876c285889049, 0x7823b52acde00bb4, 0xe382ccbafeae56a8, 0x17dbf62ee6783093},
            {0x9b7999934a156dc6, 0xaa72e85f82b106b9, 0x0c2b9eb34cefad90, 0x7f9a1e26402d49ae},
            {0x2fdc16d04300673e, 0xffcd2f32a0b0b9d6, 0x5f92433b516383bf, 0x471060306645a92a},
        },
        {
            {0xb7b92aeb7a0f220e, 0xa65df858cd85c932, 0x2abeadbabab3f5e3, 0x399e497ab6617d33},
            {0xd0dda59aad2ebca7, 0x0a60da142cbbba2f, 0x07624c2f0f4a6d09, 0x15ef372ee7add2b1},
            {0x8acd7ffb78a88feb, 0x493ea20a3094e0d7, 0xcd6e05d2918ba6ed, 0x5d55ff21204cffb3},
        },
    },
};
/* clang-format on */

#endif
